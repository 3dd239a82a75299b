import { createHash } from 'node:crypto'
import { join } from 'node:path'

/** Where the files of one namespace stand. */
export interface Layout {
  readonly namespace: string
  readonly records: string
  readonly owners: string
  readonly stages: string
  readonly leases: string
  readonly leaseStages: string
}

export const layoutOf = (namespace: string, dataDir: string, lockDir: string): Layout => {
  const name = directoryName(namespace)
  const root = join(dataDir, name)
  return {
    namespace: root,
    records: join(root, 'records'),
    owners: join(root, 'owners'),
    stages: join(root, 'stages'),
    leases: join(lockDir, name, 'leases'),
    leaseStages: join(lockDir, name, 'stages')
  }
}

/** The file of a key, in one of 256 directories, so that none grows too large. */
export const pathOf = (root: string, key: string): string => {
  const name = fileName(key)
  return `${root}/${name.slice(0, 2)}/${name}`
}

/** The names of the 256 directories. */
export const leaves: readonly string[] = Array.from({ length: 256 }, (_, index) => index.toString(16).padStart(2, '0'))

/** Whether a file's name is that of a record, and so its key. */
export const isKey = (name: string): boolean => /^[0-9a-f]{64}$/.test(name)

/** Keys are hexadecimal; anything else is hashed, so that no text from outside ever becomes a path. */
export const fileName = (key: string): string => (isKey(key) ? key : sha256(key))

/** `~` stands in no plain name, so that a hashed namespace cannot meet a plain one. Lower case: some file systems know no other. */
const directoryName = (namespace: string): string =>
  /^[a-z0-9][a-z0-9._-]{0,63}$/.test(namespace) ? namespace : `~${sha256(namespace)}`

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
