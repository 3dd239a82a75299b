import { existsSync, type Stats } from 'node:fs'
import { fault, type Origin } from './origin.js'
import { readTextFile } from './read-text-file.js'
import { secretAdvice } from './secret-strength.js'
import { checkSecret, secrets } from './secrets.js'

/**
 * The secrets of a file, one a line, newest first. Refused when others than its owner may read or write it: what they
 * can read they can sign with. Windows keeps no such bits.
 */
export const readSecretFile = (path: string, origin: Origin): readonly string[] => {
  if (!existsSync(path)) throw fault(origin, `there is no file ${path}: \`npx phial init\` writes a missing data/secret; by hand ${secretAdvice} > ${path}, and then: chmod 600 ${path}`)
  const text = readTextFile(path, origin, stats => refuseOpenToOthers(stats, path, origin))
  const lines = text.split(/\r\n|\r|\n/).map(line => line.trim())
  for (const [index, line] of lines.entries()) {
    if (line !== '') checkSecret(line, { setting: origin.setting, file: path, line: index + 1 })
  }
  return secrets.check(lines.filter(line => line !== ''), { setting: origin.setting, file: path })
}

const othersReadOrWrite = 0o066

const refuseOpenToOthers = (stats: Stats, path: string, origin: Origin): void => {
  if (process.platform === 'win32' || (stats.mode & othersReadOrWrite) === 0) return
  const mode = (stats.mode & 0o777).toString(8).padStart(4, '0')
  throw fault(origin, `${path} can be read or written by others than its owner (mode ${mode}): chmod 600 ${path}`)
}
