import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { writeNew } from './write-new.js'

/**
 * Writes a fresh secret (32 random bytes, in base64url) into a file that its owner alone can read, in a directory that its
 * owner alone can enter. One that is there stays as it is. Answers whether it wrote.
 */
export const makeSecretFile = (path: string): boolean => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  return writeNew(path, `${randomBytes(32).toString('base64url')}\n`, 0o600)
}
