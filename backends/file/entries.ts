import type { Dirent } from 'node:fs'
import { opendir } from 'node:fs/promises'
import { codeOf } from './errors.js'

/**
 * What stands in a directory, read in slices, so that a large one neither blocks the event loop nor fills memory; nothing if it
 * is missing.
 */
export async function* entriesOf(directory: string): AsyncGenerator<Dirent> {
  try {
    yield* await opendir(directory)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}
