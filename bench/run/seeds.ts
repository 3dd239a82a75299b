import { writeFileSync } from 'node:fs'
import type { Seed } from '../scenarios.js'
import { paths } from '../servers/job.js'
import { Visitor } from './visitor.js'

const AT_ONCE = 8

export interface Seeds {
  /** The load walks over them; their cookies are in a file, one a line. */
  readonly loaded: readonly Seed[]
  /** Another one, which only proofs look at. */
  readonly spare: Seed
}

/** Makes sessions as visitors make them, so that their cookies are what the server itself has given out. */
export const plantSeeds = async (url: string, count: number, file: string): Promise<Seeds> => {
  const seeds: Seed[] = []
  const plant = async (): Promise<void> => {
    for (let index = seeds.length; index <= count; index = seeds.length) {
      const visitor = new Visitor(url)
      const seed = { visitor, user: '' }
      seeds.push(seed)
      const { status, text } = await visitor.get(paths.create)
      if (status !== 200) throw new Error(`a session could not be made: ${status} ${text}`)
      seed.user = text
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, plant))
  const loaded = seeds.slice(0, count)
  writeFileSync(file, loaded.map(({ visitor }) => `${visitor.cookie}\n`).join(''))
  return { loaded, spare: seeds[count]! }
}
