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
      const counted = isCounted(scenario, contestant) ? await countOf(loaded[0]!) : undefined
      const sample = { letter: scenario.letter, ...(await measure(server, { ...what, seconds: options.seconds }, store)) }
      if (counted !== undefined) wereWritten((await countOf(loaded[0]!)) - counted, sample.requests, loaded.length)
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

/** The load sends a cookie that keeps the session itself as it first was: it counts nothing up. */
const isCounted = ({ path }: Scenario, { group }: Contestant): boolean => path === paths.write && group !== 'cookie'

const countOf = async ({ visitor }: Seed): Promise<number> => Number((await visitor.copy().get(paths.write)).text)

/** The requests were spread over the sessions evenly, and each counted one up. The last one may still have been on its way when the load ended. */
const wereWritten = (counted: number, requests: number, sessions: number): void =>
  assert.ok(counted >= Math.floor(requests / sessions), `W: ${requests} writes to ${sessions} sessions, and one of them counted ${counted}`)
