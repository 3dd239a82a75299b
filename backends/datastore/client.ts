import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { ConfigError } from '../../src/errors.js'
import { requireClient } from '../require-client.js'
import type { Address } from './address.js'
import type { DatastoreOptions } from './manifest.js'

/** The slice of `v1.DatastoreClient` that is used. Only this level of the package tells versions and conflicts. */
export interface DatastoreClient {
  lookup(request: LookupRequest, options: CallOptions): Promise<readonly [LookupAnswer, ...unknown[]]>
  commit(request: CommitRequest, options: CallOptions): Promise<readonly [CommitAnswer, ...unknown[]]>
  runQuery(request: QueryRequest, options: CallOptions): Promise<readonly [QueryAnswer, ...unknown[]]>
  /** Finds credentials. A method called before it is done lets a failure of it become an unhandled rejection. */
  initialize?(): Promise<unknown>
  getProjectId?(): Promise<string>
  close(): Promise<void>
}

export interface CallOptions {
  /** Milliseconds. */
  readonly timeout: number
  /** `null`: the client does not try again by itself, which by default it does for ten minutes. */
  readonly retry: null
}

interface Request {
  readonly projectId: string
  readonly databaseId: string
}

export interface LookupRequest extends Request {
  readonly keys: readonly Key[]
  readonly propertyMask?: PropertyMask
}

export interface LookupAnswer {
  readonly found?: readonly EntityResult[] | null
  readonly missing?: readonly EntityResult[] | null
  /** Not looked up, for want of resources: not missing. */
  readonly deferred?: readonly Key[] | null
  readonly readTime?: Timestamp | null
}

export interface CommitRequest extends Request {
  readonly mode: 'NON_TRANSACTIONAL'
  readonly mutations: readonly Mutation[]
}

/** With a `baseVersion` it is done only if that is the entity's version, else the result says `conflictDetected`. */
export interface Mutation {
  readonly insert?: Entity
  readonly update?: Entity
  readonly delete?: Key
  readonly baseVersion?: string
}

export interface CommitAnswer {
  readonly mutationResults?: readonly MutationResult[] | null
}

export interface MutationResult {
  readonly version?: Version
  readonly conflictDetected?: boolean | null
}

export interface QueryRequest extends Request {
  readonly partitionId: PartitionId
  readonly query: Query
  readonly propertyMask?: PropertyMask
}

export interface Query {
  readonly kind: readonly [{ readonly name: string }]
  readonly projection?: readonly { readonly property: { readonly name: string } }[]
  readonly filter?: Filter
  readonly order?: readonly { readonly property: { readonly name: string } }[]
  readonly limit: { readonly value: number }
  readonly startCursor?: Cursor
}

export interface Filter {
  readonly compositeFilter: { readonly op: 'AND'; readonly filters: readonly { readonly propertyFilter: PropertyFilter }[] }
}

export interface PropertyFilter {
  readonly property: { readonly name: string }
  readonly op: 'GREATER_THAN_OR_EQUAL' | 'LESS_THAN' | 'LESS_THAN_OR_EQUAL'
  readonly value: Value
}

export interface QueryAnswer {
  readonly batch?: {
    readonly entityResults?: readonly EntityResult[] | null
    readonly endCursor?: Cursor | null
    readonly moreResults?: string | number | null
  } | null
}

/** Bytes. */
export type Cursor = Uint8Array | string

export interface EntityResult {
  readonly entity?: Entity | null
  readonly version?: Version
  readonly updateTime?: Timestamp | null
}

/** A 64-bit number, as the client writes it. */
export type Version = string | number | { toString(): string } | null

export interface Entity {
  readonly key?: Key | null
  readonly properties?: Readonly<Record<string, Value>> | null
}

export interface Key {
  readonly partitionId?: PartitionId | null
  readonly path?: readonly { readonly kind?: string | null; readonly name?: string | null }[] | null
}

export interface PartitionId {
  readonly projectId?: string | null | undefined
  readonly databaseId?: string | null
  readonly namespaceId?: string | null
}

export interface Value {
  readonly stringValue?: string | null
  readonly timestampValue?: Timestamp | null
  readonly keyValue?: Key | null
  readonly excludeFromIndexes?: boolean | null
}

export interface Timestamp {
  readonly seconds?: Version
  readonly nanos?: number | null
}

interface PropertyMask {
  readonly paths: readonly string[]
}

/** Makes clients. */
export interface ClientSource {
  make(): DatastoreClient
  /** What `make` gives is ours: to be closed, and replaced when it hangs. Absent when the application gave its client. */
  readonly own?: {
    /** `http://HOST:PORT` or `https://HOST:PORT`: where it connects to. */
    readonly origin: string
  }
}

interface DatastoreModule {
  readonly v1: { readonly DatastoreClient: new (options: object) => DatastoreClient }
}

/** Of what Google's clients are made by. */
interface ClientOptions {
  readonly projectId?: string | undefined
  readonly keyFilename?: string | undefined
  readonly credentials?: object | undefined
  readonly servicePath?: string
  readonly port?: number
  /** Present: without TLS, and without credentials. */
  readonly sslCreds?: unknown
}

/** Throws `ConfigError`, or `DependencyError` when the package is missing. */
export const clientSource = (address: Address, options: DatastoreOptions): ClientSource => {
  const { client } = options
  if (isLowLevel(client)) return { make: () => client }
  const given = client && optionsOf(client)
  checkKeyFile(options.keyFilename)
  const { v1 } = requireClient<DatastoreModule>('@google-cloud/datastore', '10', 'datastore')
  const all = { ...(given ?? clientOptions(address, options)), ...CHANNEL }
  return {
    make: () => new v1.DatastoreClient('sslCreds' in all ? { ...WITHOUT_METADATA_SERVER, ...all } : all),
    own: { origin: originOf(all) },
  }
}

const CHANNEL = {
  // A server that is back is found within half a second. By default a channel waits for up to two minutes.
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.max_reconnect_backoff_ms': 500,
  'grpc.dns_min_time_between_resolutions_ms': 1_000,
  // Else a client that takes the place of one that hangs shares its connection.
  'grpc.use_local_subchannel_pool': 1,
  // What the DNS says of retries would repeat writes.
  'grpc.service_config_disable_resolution': 1,
  fallback: false,
}

/** Else a client looks for the metadata server of Google's machines, also when it needs no credentials. */
const WITHOUT_METADATA_SERVER = { clientOptions: { universeDomain: 'googleapis.com' } }

const clientOptions = ({ projectId, endpoint }: Address, { keyFilename, credentials }: DatastoreOptions): ClientOptions => ({
  ...(projectId !== undefined && { projectId }),
  ...(keyFilename !== undefined && { keyFilename }),
  ...(credentials !== undefined && { credentials }),
  ...(endpoint !== undefined && { servicePath: endpoint.host, port: endpoint.port }),
  ...(endpoint?.isEmulator && { sslCreds: insecure() }),
})

const originOf = ({ servicePath = 'datastore.googleapis.com', port = 443, sslCreds }: ClientOptions): string =>
  `${sslCreds === undefined ? 'https' : 'http'}://${servicePath}:${port}`

/** gRPC belongs to the client: another copy of it makes credentials that it does not know. */
const insecure = (): unknown => {
  const load = createRequire(createRequire(import.meta.url).resolve('@google-cloud/datastore'))
  return (load('google-gax') as { grpc: { credentials: { createInsecure(): unknown } } }).grpc.credentials.createInsecure()
}

const isLowLevel = (client: object | undefined): client is DatastoreClient =>
  client !== undefined && ['lookup', 'commit', 'runQuery'].every((method) => typeof (client as Record<string, unknown>)[method] === 'function')

/** A `Datastore` keeps the options of the clients that it makes. */
const optionsOf = (client: object): ClientOptions => {
  const { options } = client as { options?: unknown }
  if (typeof options === 'object' && options !== null) return options
  throw new ConfigError('datastore.client: expected a Datastore or a v1.DatastoreClient', { setting: 'datastore.client' })
}

const checkKeyFile = (path: string | undefined): void => {
  if (path === undefined) return
  const setting = 'datastore.key_filename'
  try {
    JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException // What JSON.parse says may hold a part of the key.
    throw new ConfigError(`${setting}: expected a service account's key file${code === undefined ? ', which is JSON' : `: ${code}`}`, { setting })
  }
}
