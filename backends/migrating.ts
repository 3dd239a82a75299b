import { ConfigError } from '../src/errors.js'
import type { Backend, BackendContext, Manifest, NamespaceManager, OptionTable } from '../src/namespace-manager.js'
import { MigratingManager, type Place } from './migrating/migrating-manager.js'

/** A backend, a namespace manager or its class, settings of a backend (`{ type: 'file', dataDir: … }`), or a name in `session.backends`. */
export type OtherBackend = string | object

export interface MigratingOptions {
  /** Where the sessions have been until now. */
  readonly from: OtherBackend
  /** Where they are to be. */
  readonly to: OtherBackend
  /** Where new ones are made: `from` until every process knows both stores, then `to`; default `to`. */
  readonly createIn?: Place | undefined
}

/** Until it is open: what two backends have in common is what the opened manager says. */
const supports: Manifest = {
  scope: 'process', durable: false, atomic: false, revocable: false, maxValueBytes: 0,
  enumerable: false, purgeable: false, lockable: false, ownerIndex: false,
}

const options: OptionTable = {
  from: { type: 'backend', default: undefined, sentence: 'Where the sessions have been until now.' },
  to: { type: 'backend', default: undefined, sentence: 'Where they are to be.' },
  create_in: { type: 'string', default: 'to', sentence: 'Where new sessions are made: from until every process knows both backends, then to.' },
}

/** `session.type = migrating`. */
export const migratingBackend: Backend<MigratingOptions> = {
  type: 'migrating',
  supports,
  options,
  open: (context) => openBoth(context, context.options),
}

/**
 * Moves an application from one backend to another while it runs: no session is lost, and none that has ended comes back. Sessions stay where
 * they were made, until they end; new ones are made in `to`.
 *
 * 1. Every process gets `createIn: 'from'`: it knows both backends, and nothing changes.
 * 2. Every process gets `createIn: 'to'`.
 * 3. When the longest life of a session has passed (`lifetime`), `from` is empty, and `to` can be named alone.
 *
 * Processes of two steps that follow each other may run at the same time. What it is able to do is what both are. A session that
 * is not where new ones are made costs a second call; making one costs three. While one backend is down, only what is found first in the
 * other can be read.
 */
export const migrating = (given: MigratingOptions): Backend =>
  ({ type: 'migrating', supports, open: (context) => openBoth(context, given) })

const openBoth = (context: BackendContext<any>, { from, to, createIn = 'to' }: MigratingOptions): NamespaceManager => {
  if (createIn !== 'from' && createIn !== 'to') throw fault('createIn', `expected from or to; got ${JSON.stringify(createIn)}`)
  const [before, after] = [open(context, 'from', from), open(context, 'to', to)]
  if (before === after) throw fault('to', 'expected another backend than from')
  return new MigratingManager(before, after, createIn)
}

const open = ({ openOther }: BackendContext, option: Place, which: OtherBackend | undefined): NamespaceManager => {
  if (which === undefined) throw fault(option, 'required: the name of a backend')
  if (openOther === undefined) throw fault(option, 'needs a manager that can open other backends')
  return openOther(which, option)
}

const fault = (option: string, because: string): ConfigError => {
  const setting = `migrating.${option}`
  return new ConfigError(`${setting}: ${because}`, { setting })
}
