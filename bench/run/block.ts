import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { Contestant } from '../contestants.js'
import type { BenchOptions } from '../options.js'
import type { Scenario, Seed } from '../scenarios.js'
import { paths } from '../servers/job.js'
import { ContestantProcess } from './contestant-process.js'
import { load } from './load.js'
import { measure } from './measure.js'
import type { Figures } from './measure.js'
import type { Store } from './stores.js'
import { Visitor } from './visitor.js'
import { plantSeeds } from './seeds.js'

export interface Sample extends Figures {
  readonly letter: string
}

/** Measures all scenarios of one server, in a process that is started for it. `told` hears of each. */
export const playBlock = async (
  contestant: Contestant, options: BenchOptions, folder: string, store: Store | undefined, told: (sample: Sample) => void,
): Promise<Sample[]> => {
  await store?.clear()
  const server = await ContestantProcess.start(contestant, store?.location ?? '')
  try {
    const cookieFile = join(folder, `${contestant.name}.txt`)
    const { loaded, spare } = await plantSeeds(server.url, options.seeds, cookieFile)
    const samples: Sample[] = []
    for (const scenario of options.scenarios) {
      const what = { path: scenario.path, cookieFile: scenario.hasCookie ? cookieFile : undefined }
      const prove = (): Promise<void> => proven(scenario, spare, server.url)
      await prove()
      if (options.warmUpSeconds > 0) await load({ ...what, url: server.url, seconds: options.warmUpSeconds })
      const sample = { letter: scenario.letter, ...(await measure(server, { ...what, seconds: options.seconds }, store)) }
      if (scenario.path === paths.write && contestant.group !== 'cookie') await wereWritten(loaded, sample.requests)
      if (scenario.path !== paths.create) await prove() // which may have made more sessions than a store keeps
      samples.push(sample)
      told(sample)
    }
    return samples
  } catch (error) {
    await server.stop() // and with that, all that it has printed is there
    const { message } = error as Error
    throw message.includes(server.printed) ? error : new Error(`${message}\n${server.printed}`, { cause: error })
  } finally {
    await server.stop()
  }
}

const proven = async ({ letter, prove }: Scenario, seed: Seed, url: string): Promise<void> => {
  try {
    await prove(seed, new Visitor(url))
  } catch (error) {
    throw new Error(`${letter}: ${(error as Error).message}`, { cause: error })
  }
}

/** The requests were spread over the sessions evenly, and each counted one up. The last one may still have been on its way when the load ended. */
const wereWritten = async (seeds: readonly Seed[], requests: number): Promise<void> => {
  const count = Number((await seeds[0]!.visitor.copy().get(paths.write)).text)
  assert.ok(count >= Math.floor(requests / seeds.length), `W: ${requests} writes to ${seeds.length} sessions, and the counter of one is ${count}`)
}
