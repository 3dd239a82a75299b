import type { Manifest, OptionTable } from '../../src/namespace-manager.js'

export const manifest: Manifest = {
  scope: 'shared',
  durable: true,
  atomic: true,
  revocable: true,
  // An entity takes 1,048,572 bytes; its key, its other properties and their names want some of them.
  maxValueBytes: 1_047_552,
  enumerable: true,
  purgeable: true,
  lockable: true,
  ownerIndex: true,
}

export interface DatastoreOptions {
  readonly projectId?: string | undefined
  readonly databaseId?: string | undefined
  readonly kind: string
  readonly keyFilename?: string | undefined
  /** `client_email` and `private_key` of a service account. */
  readonly credentials?: object | undefined
  /** A `Datastore` or a `v1.DatastoreClient`; it is not closed with the manager. */
  readonly client?: object | undefined
}

export const optionTable: OptionTable = {
  project_id: {
    type: 'string',
    default: undefined,
    sentence: 'The Google Cloud project, where neither the url nor the environment nor the credentials name it.',
  },
  database_id: {
    type: 'string',
    default: undefined,
    sentence: 'The database in the project; the default one if absent.',
  },
  kind: {
    type: 'string',
    default: 'PhialSession',
    sentence: 'The kind of the entities; those of owners and locks have Owner and Lease behind it.',
  },
  key_filename: {
    type: 'string',
    default: undefined,
    sentence: 'A service account\'s key file (JSON), where the application default credentials are not those to use.',
  },
  credentials: {
    type: 'object',
    default: undefined,
    secret: true,
    sentence: 'A service account\'s { client_email, private_key }, in place of a file.',
  },
  client: {
    type: 'object',
    default: undefined,
    sentence: 'A Datastore or v1.DatastoreClient of your own. It is not closed with the manager.',
  },
}
