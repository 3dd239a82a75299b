import { createHash } from 'node:crypto'
import type { Address } from './address.js'
import type { Key } from './client.js'

/** What all keys of a namespace have in common. */
export interface Partition {
  /** Absent until it is found. Keys that lack it are not of a database that is named. */
  projectId?: string | undefined
  readonly databaseId: string
  readonly namespaceId: string
}

/** Where the entities of one namespace are. */
export interface Space {
  readonly partition: Partition
  /** The kinds of records, of owners' entries and of leases. */
  readonly kinds: { readonly records: string; readonly owners: string; readonly leases: string }
  record(key: string): Key
  owned(owner: string, key: string): Key
  lease(key: string): Key
}

export const spaceOf = ({ projectId, databaseId }: Address, namespace: string, kind: string): Space => {
  const partition = { projectId, databaseId, namespaceId: namespaceId(namespace) }
  const kinds = { records: kind, owners: `${kind}Owner`, leases: `${kind}Lease` }
  const keyOf = (of: string, name: string): Key => ({ partitionId: partition, path: [{ kind: of, name }] })
  return {
    partition,
    kinds,
    record: (key) => keyOf(kinds.records, key),
    owned: (owner, key) => keyOf(kinds.owners, owner + key),
    lease: (key) => keyOf(kinds.leases, key),
  }
}

const HASHED = 'sha256.'

/** Datastore's namespaces are of these characters, and no `__reserved__` ones. Others are hashed. */
const namespaceId = (namespace: string): string => {
  const isPlain = /^[0-9A-Za-z._-]{1,100}$/.test(namespace) && !/^__.*__$/.test(namespace) && !namespace.startsWith(HASHED)
  return isPlain ? namespace : HASHED + createHash('sha256').update(namespace).digest('hex')
}
