import { accessSync, constants, lstatSync, type Stats } from 'node:fs'
import { dirname, isAbsolute } from 'node:path'
import { ConfigError } from '../../src/errors.js'
import { faultOf } from './directories.js'
import { codeOf } from './errors.js'

/**
 * Refuses a directory that is a link, belongs to another user, can be written to by others, or cannot be written to by us.
 * One that is missing is made at the first write: then the nearest one above it must let us.
 */
export const checkAtStart = (directory: string | undefined, setting: string): string => {
  if (directory === undefined || directory === '') throw new ConfigError(`${setting}: the file backend needs a directory`, { setting })
  if (!isAbsolute(directory)) throw new ConfigError(`${setting}: expected an absolute path`, { setting })
  const stats = statsOf(directory, setting)
  const fault = stats && faultOf(stats)
  if (fault !== undefined) throw new ConfigError(`${setting}: ${directory} ${fault}`, { setting })
  checkWritable(directory, setting)
  return directory
}

const checkWritable = (directory: string, setting: string): void => {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK)
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT' && dirname(directory) !== directory) return checkWritable(dirname(directory), setting)
    throw new ConfigError(`${setting}: cannot write to ${directory} (${codeOf(cause)})`, { setting, cause })
  }
}

const statsOf = (directory: string, setting: string): Stats | undefined => {
  try {
    return lstatSync(directory, { throwIfNoEntry: false })
  } catch (cause) {
    throw new ConfigError(`${setting}: cannot look at ${directory} (${codeOf(cause)})`, { setting, cause })
  }
}
