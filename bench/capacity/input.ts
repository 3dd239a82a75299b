import { parseArgs } from 'node:util'

/** What is asked: so many sessions, used like this, on machines like that. */
export interface CapacityInput {
  /** Live at the same time. */
  readonly sessions: number
  /** Of a session's data, bytes of JSON. */
  readonly size: number
  /** A second and session, when most is asked, that read their session. */
  readonly requests: number
  /** Of these, the share that saves it, too. */
  readonly saves: number
  /** Sessions have an owner each. */
  readonly owners: boolean
  /** `encrypt_key` is set. */
  readonly encrypted: boolean
  /** Of each redis server. */
  readonly replicas: number
  /** Of a machine of the store, in GB (10^9 bytes). */
  readonly nodeMemory: number
}

export const DEFAULTS: CapacityInput = { sessions: 1e6, size: 1_000, requests: 0.01, saves: 0.2, owners: false, encrypted: false, replicas: 1, nodeMemory: 16 }

export const USAGE: string = `npm run capacity -- [options]

  --sessions N      live at the same time; ${DEFAULTS.sessions}
  --size N          bytes of a session's data, as JSON; ${DEFAULTS.size}
  --requests N      that read a session, a second and session, when most is asked; ${DEFAULTS.requests}
  --saves N         of these requests, the share that saves; ${DEFAULTS.saves}
  --owners          sessions have an owner, each another
  --encrypted       encrypt_key is set
  --replicas N      of each redis server; ${DEFAULTS.replicas}
  --node-memory N   of a machine of the store, in GB; ${DEFAULTS.nodeMemory}
  --store LIST      of memory, file, redis, memcache, datastore, cookie; all
  --write           writes the table and the working into docs/capacity.md
`

export interface Command {
  readonly input: CapacityInput
  readonly stores: readonly string[] | undefined
  readonly does: 'print' | 'write' | 'help'
}

/** Throws `TypeError` for what it does not understand. */
export const commandOf = (args: readonly string[]): Command => {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean', default: false } as const
  const { values } = parseArgs({
    args: [...args],
    options: { sessions: text, size: text, requests: text, saves: text, owners: flag, encrypted: flag, replicas: text, 'node-memory': text, store: text, write: flag, help: flag },
  })
  const number = (name: 'sessions' | 'size' | 'requests' | 'saves' | 'replicas' | 'node-memory', otherwise: number, most = Infinity): number => {
    const written = values[name]
    const value = written === undefined ? otherwise : Number(written)
    if (written?.trim() !== '' && value >= 0 && value <= most && value < Infinity) return value
    throw new TypeError(`--${name}: expected a number from 0${most === Infinity ? '' : ` to ${most}`}; got ${written}`)
  }
  const input: CapacityInput = {
    sessions: number('sessions', DEFAULTS.sessions), size: number('size', DEFAULTS.size, 1_000_000), requests: number('requests', DEFAULTS.requests),
    saves: number('saves', DEFAULTS.saves, 1), owners: values.owners, encrypted: values.encrypted, replicas: number('replicas', DEFAULTS.replicas),
    nodeMemory: number('node-memory', DEFAULTS.nodeMemory),
  }
  return { input, stores: values.store?.split(','), does: values.help ? 'help' : values.write ? 'write' : 'print' }
}
