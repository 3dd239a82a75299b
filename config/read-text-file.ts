import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs'
import type { ConfigErrorDetails } from '../src/errors.js'
import { fault } from './origin.js'

const mostBytes = 1_048_576

/** The text of a small file. `inspect` may refuse it for what the system says about it. Throws `ConfigError`. */
export const readTextFile = (path: string, place: ConfigErrorDetails, inspect?: (stats: Stats) => void): string => {
  const handle = open(path, place)
  try {
    const stats = fstatSync(handle)
    if (!stats.isFile()) throw fault(place, `${path} is not a file`)
    if (stats.size > mostBytes) throw fault(place, `${path} has ${stats.size} bytes; at most ${mostBytes} are read`)
    inspect?.(stats)
    return decode(readFileSync(handle), path, place)
  } finally {
    closeSync(handle)
  }
}

/** Without O_NONBLOCK, opening a named pipe would wait for somebody to write to it. Windows has no such flag. */
const open = (path: string, place: ConfigErrorDetails): number => {
  try {
    return openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw fault(place, code === 'ENOENT' ? `there is no file ${path}` : `${path} cannot be read (${code})`, cause)
  }
}

const decode = (bytes: Buffer, path: string, place: ConfigErrorDetails): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw fault(place, `${path} is not UTF-8 text`, cause)
  }
}
