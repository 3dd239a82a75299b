import { ConfigError } from '../../src/errors.js'
import type { BackendContext } from '../../src/namespace-manager.js'
import { requireClient } from '../require-client.js'
import type { Memjs, MemjsServer, MemjsServerClass } from './client.js'
import { Connection } from './connection.js'
import type { MemcacheOptions } from './manifest.js'
import { parseMemcacheUrl, type Address, type Credentials } from './url.js'

/** A server to keep records on, and how a connection to it is made. */
export interface ServerToUse {
  readonly address: Address
  readonly makeServer: () => MemjsServer
}

/** What the settings name: the servers of the url, of a memjs client, or the one on this machine. Throws `ConfigError`, `DependencyError`. */
export const serversOf = ({ url, options }: BackendContext<MemcacheOptions>): readonly ServerToUse[] => {
  if (options.client !== undefined) return ofClient(options.client, url, options)
  const target = parseMemcacheUrl(url ?? 'localhost')
  const credentials = credentialsOf(target.credentials, options)
  const { Server } = requireClient<Memjs>('memjs', '1', 'memcache')
  return target.addresses.map((address) => ({ address, makeServer: maker(Server, address, credentials) }))
}

const credentialsOf = (inUrl: Credentials | undefined, { username, password }: MemcacheOptions): Credentials | undefined => {
  if (inUrl !== undefined && (username ?? password) !== undefined) throw wrong('username', 'is in the url, too')
  if ((username === undefined) !== (password === undefined)) throw wrong(username === undefined ? 'username' : 'password', 'is missing')
  const credentials = username === undefined || password === undefined ? inUrl : { username, password }
  // SASL's PLAIN mechanism parts them by a NUL (RFC 4616); memjs takes an empty one for none.
  if (credentials !== undefined && !Object.values(credentials).every((text) => text !== '' && !text.includes('\0'))) {
    throw wrong('password', 'user and password must not be empty, nor hold a NUL')
  }
  return credentials
}

const wrong = (option: string, fault: string): ConfigError => new ConfigError(`memcache.${option}: ${fault}`, { setting: `memcache.${option}` })

/** memjs changes the options that it is given, and takes user and password from the environment where it is given none. */
const maker = (Server: MemjsServerClass, { target }: Address, credentials?: Partial<Credentials>) => (): MemjsServer => {
  const [host, port] = 'path' in target ? (['localhost', target.path] as const) : ([target.host, target.port] as const)
  const server = new Server(host, port, undefined, undefined, { ...Connection.serverOptions })
  server.username = credentials?.username
  server.password = credentials?.password
  return server
}

/** What is read of each server of a memjs client. */
interface GivenServer extends Partial<Credentials> {
  readonly host: string
  readonly port: number | string
  readonly constructor: unknown
}

/** A connection that failed is thrown away, so that those of the client itself cannot be used. */
const ofClient = (client: unknown, url: string | undefined, { username, password }: MemcacheOptions): readonly ServerToUse[] => {
  if (url !== undefined || (username ?? password) !== undefined) throw wrong('client', 'brings its servers: no url, username and password beside it')
  const servers = (client as { readonly servers?: unknown } | null)?.servers
  if (!Array.isArray(servers) || servers.length === 0 || !servers.every(isServer)) throw wrong('client', 'expected a client of memjs')
  const names = new Set(servers.map((server) => addressOf(server).name))
  if (names.size < servers.length) throw wrong('client', 'names a server twice')
  return servers.map((server) => {
    const address = addressOf(server)
    return { address, makeServer: maker(server.constructor as MemjsServerClass, address, server) }
  })
}

const isServer = (value: unknown): value is GivenServer => {
  const { host, port, write, onResponse, onError } = (value ?? {}) as Partial<GivenServer & MemjsServer>
  const isCallable = [write, onResponse, onError].every((method) => typeof method === 'function')
  return isCallable && typeof host === 'string' && ['number', 'string'].includes(typeof port)
}

const addressOf = ({ host, port }: GivenServer): Address =>
  typeof port === 'string' && port.startsWith('/')
    ? { name: port, target: { path: port } }
    : { name: `${host.includes(':') ? `[${host}]` : host.toLowerCase()}:${port}`, target: { host, port: Number(port) } }
