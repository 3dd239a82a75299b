import { ConfigError } from '../src/errors.js'
import type { Backend, BackendContext } from '../src/namespace-manager.js'
import { addressOf } from './datastore/address.js'
import { clientSource } from './datastore/client.js'
import { DatastoreManager } from './datastore/datastore-manager.js'
import { manifest, optionTable, type DatastoreOptions } from './datastore/manifest.js'
import { Service } from './datastore/service.js'
import { spaceOf } from './datastore/space.js'

export type { DatastoreOptions } from './datastore/manifest.js'

/**
 * Keeps each record in an entity of Google's Datastore (Firestore in Datastore mode), or of its emulator. Reading is one call, a touch that
 * is due one more; saving what this process has read is one.
 *
 * `open` finds out where the entities are and loads `@google-cloud/datastore`; the first call connects. What is late, not there or not
 * allowed is a `StoreError` within `operation_timeout`; nothing needs a restart.
 *
 * Datastore deletes what has expired when a TTL policy says so, a day late or later; `purgeExpired` does it at once. Either way what has
 * expired is not answered.
 */
export const datastoreBackend: Backend<DatastoreOptions> = {
  type: 'datastore',
  supports: manifest,
  options: optionTable,
  takesUrl: true,
  open(context: BackendContext<DatastoreOptions>): DatastoreManager {
    const { url, namespace, options } = context
    checkKind(options.kind)
    if (url !== undefined && options.client !== undefined) throw new ConfigError('url: the client that was given knows its server', { setting: 'url' })
    // A client that was given knows its project, too.
    const address = addressOf(url, options, options.client === undefined ? process.env : {})
    const space = spaceOf(address, namespace, options.kind)
    return new DatastoreManager(context, new Service(clientSource(address, options), space.partition), space)
  },
}

const checkKind = (kind: string): void => {
  const setting = 'datastore.kind'
  if (/^(?!__)[\w.-]{1,100}$/.test(kind)) return
  throw new ConfigError(`${setting}: expected a name of letters, digits, "_", "." and "-" that does not begin with "__"; got "${kind}"`, { setting })
}
