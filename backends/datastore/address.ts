import { ConfigError } from '../../src/errors.js'
import type { DatastoreOptions } from './manifest.js'

/** Where the entities are. */
export interface Address {
  /** Absent: the client finds it with its credentials. */
  readonly projectId: string | undefined
  /** Empty: the default database. */
  readonly databaseId: string
  /** Absent: Google's own. */
  readonly endpoint: Endpoint | undefined
}

export interface Endpoint {
  /** An IPv6 address stands in brackets. */
  readonly host: string
  readonly port: number
  /** It is spoken to without TLS and without credentials. */
  readonly isEmulator: boolean
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads `session.url`, the options and the environment, in this order. Throws `ConfigError`.
 *
 * - `datastore://PROJECT` or `datastore://PROJECT/DATABASE`: Google's service, or the emulator that `DATASTORE_EMULATOR_HOST` names
 * - `datastore://HOST:PORT/PROJECT` or `http://HOST:PORT/PROJECT`: an emulator
 * - `https://HOST/PROJECT`: another endpoint of Google's service, a region's for one
 */
export const addressOf = (url: string | undefined, { projectId, databaseId }: DatastoreOptions, env: Environment): Address => {
  const told = url === undefined ? {} : readUrl(url)
  const project = agreed('project_id', told.projectId, projectId) ?? env['DATASTORE_PROJECT_ID'] ?? env['GOOGLE_CLOUD_PROJECT'] ?? env['GCLOUD_PROJECT']
  const database = agreed('database_id', told.databaseId, databaseId) ?? DEFAULT_DATABASE
  check(project, PROJECT, 'project_id', 'the id of a project')
  check(database, DATABASE, 'database_id', 'the id of a database')
  const endpoint = told.endpoint ?? emulatorOf(env['DATASTORE_EMULATOR_HOST'])
  if (project === undefined && endpoint?.isEmulator) {
    throw new ConfigError('datastore.project_id: expected the id of a project: an emulator takes any, and tells none', { setting: 'datastore.project_id' })
  }
  return { projectId: project, databaseId: database === DEFAULT_DATABASE ? '' : database, endpoint }
}

interface Told {
  readonly projectId?: string | undefined
  readonly databaseId?: string | undefined
  readonly endpoint?: Endpoint | undefined
}

/** As Google's tools write it. */
const DEFAULT_DATABASE = '(default)'
const DATABASE = /^(?:\(default\)|[a-z0-9][a-z0-9-]{0,62})$/
/** Old projects have their owner's domain in front of a colon. */
const PROJECT = /^(?:[a-z0-9.-]+:)?[a-z0-9][a-z0-9-]{0,62}$/

const check = (value: string | undefined, pattern: RegExp, option: string, expected: string): void => {
  if (value === undefined || pattern.test(value)) return
  throw new ConfigError(`datastore.${option}: expected ${expected}; got "${value}"`, { setting: `datastore.${option}` })
}

const agreed = (option: string, inUrl: string | undefined, inOption: string | undefined): string | undefined => {
  if (inUrl === undefined || inOption === undefined || inUrl === inOption) return inUrl ?? inOption
  throw new ConfigError(`datastore.${option}: the url names another one`, { setting: `datastore.${option}` })
}

const readUrl = (text: string): Told => {
  const url = parse(text)
  const [projectId, databaseId, ...rest] = partsOf(url.pathname)
  if (url.protocol === 'datastore:' && url.port === '' && url.hostname !== '') {
    if (databaseId !== undefined) throw wrongUrl()
    return { projectId: url.hostname, databaseId: projectId }
  }
  if (url.hostname === '' || rest.length > 0) throw wrongUrl()
  const isEmulator = url.protocol !== 'https:'
  return { projectId, databaseId, endpoint: { host: url.hostname, port: Number(url.port || (isEmulator ? 80 : 443)), isEmulator } }
}

const parse = (text: string): URL => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !['datastore:', 'http:', 'https:'].includes(url.protocol)) throw wrongUrl()
  // It is never shown: what was taken for a user name may be a password.
  if (url.username + url.password + url.search + url.hash !== '') throw wrongUrl('; got more than that')
  return url
}

const partsOf = (path: string): string[] => {
  try {
    return path.split('/').map(decodeURIComponent).filter((part) => part !== '')
  } catch {
    throw wrongUrl()
  }
}

const wrongUrl = (more = ''): ConfigError =>
  new ConfigError(`url: expected ${FORMS}${more}`, { setting: 'url' })

const FORMS = 'datastore://PROJECT, datastore://PROJECT/DATABASE, http://HOST:PORT/PROJECT or https://HOST/PROJECT'

const emulatorOf = (host: string | undefined): Endpoint | undefined => {
  if (host === undefined || host === '') return undefined
  const text = host.startsWith('http://') ? host : `http://${host}`
  if (URL.canParse(text)) {
    const { hostname, port, pathname } = new URL(text)
    if (pathname === '/') return { host: hostname, port: Number(port || 80), isEmulator: true }
  }
  throw new ConfigError('DATASTORE_EMULATOR_HOST: expected HOST:PORT', { setting: 'url' })
}
