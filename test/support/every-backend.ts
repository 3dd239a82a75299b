import test from 'ava'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SettingsInput } from '../../src/index.js'
import { serve } from './app.js'
import type { App, Teardown } from './app.js'
import { hasMemcached, sharedMemcached } from './memcache-store.js'
import { borrowCluster } from './redis-cluster.js'
import { borrowSentinels } from './redis-sentinel.js'
import { borrowRedis, redisProgram, tellMissing } from './redis-server.js'
import { borrowEmulator, missingEmulator } from './datastore-emulator.js'

type Handler = Parameters<typeof serve>[1]

const ENCRYPT_KEY = 'pR4-yB8_nK2wV6tJ0sM5hD9fL3gZ7cXq'

/** A directory of the test's own, removed after it. */
export const temporaryDirectory = (t: Teardown): string => {
  const directory = mkdtempSync(join(tmpdir(), 'phial-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

export interface Mode {
  readonly name: string
  /** The server keeps the records: nothing lost and gone is gone hold. */
  readonly isStored: boolean
  /** Several processes may have the same sessions; the settings are plain values then. */
  readonly isShared?: boolean
  /** It knows which sessions an owner has; so by default. */
  readonly canList?: boolean
  /** What it needs and is not installed: its tests are skipped, and counted as skipped. */
  readonly missing?: string | undefined
  settings(t: Teardown): SettingsInput | Promise<SettingsInput>
}

const missingRedis = redisProgram === undefined ? 'redis-server' : undefined
if (missingRedis !== undefined) tellMissing('the tests of every backend are, for redis,', missingRedis)

const missingMemcached = hasMemcached() ? undefined : 'memcached'

/** Servers are shared by the tests of a process; each test has a namespace of its own on them. */
const on = async (type: string, server: Promise<{ readonly url: string }>, settings: SettingsInput = {}): Promise<SettingsInput> =>
  ({ type, url: (await server).url, namespace: `test-${randomUUID()}`, ...settings })

const cached = async (t: Teardown): Promise<SettingsInput> =>
  on('datastore', borrowEmulator(t), { cache: 'front', backends: { front: { type: 'memcache', url: (await sharedMemcached(t)).url } } })

const migrating = async (t: Teardown): Promise<SettingsInput> => ({
  type: 'migrating', namespace: `test-${randomUUID()}`, migrating: { from: 'old', to: 'new' },
  backends: { old: { type: 'file', dataDir: temporaryDirectory(t) }, new: { type: 'redis', url: (await borrowRedis(t)).url } },
})

/** Every backend of the library, plain and encrypted; of one whose server is not installed the tests are skipped. */
export const modes: readonly Mode[] = [
  { name: 'memory', isStored: true, settings: () => ({ type: 'memory' }) },
  { name: 'memory, encrypted', isStored: true, settings: () => ({ type: 'memory', encryptKey: ENCRYPT_KEY }) },
  { name: 'file', isStored: true, isShared: true, settings: (t) => ({ type: 'file', dataDir: temporaryDirectory(t) }) },
  {
    name: 'file, encrypted', isStored: true, isShared: true,
    settings: (t) => ({ type: 'file', dataDir: temporaryDirectory(t), encryptKey: ENCRYPT_KEY }),
  },
  { name: 'redis', isStored: true, isShared: true, missing: missingRedis, settings: (t) => on('redis', borrowRedis(t)) },
  { name: 'redis, encrypted', isStored: true, isShared: true, missing: missingRedis, settings: (t) => on('redis', borrowRedis(t), { encryptKey: ENCRYPT_KEY }) },
  { name: 'redis Sentinel', isStored: true, isShared: true, missing: missingRedis, settings: (t) => on('redis', borrowSentinels(t)) },
  { name: 'redis Cluster', isStored: true, isShared: true, missing: missingRedis, settings: (t) => on('redis', borrowCluster(t)) },
  { name: 'memcache', isStored: true, isShared: true, canList: false, missing: missingMemcached, settings: (t) => on('memcache', sharedMemcached(t)) },
  { name: 'datastore', isStored: true, isShared: true, missing: missingEmulator, settings: (t) => on('datastore', borrowEmulator(t)) },
  { name: 'datastore behind memcache', isStored: true, isShared: true, missing: missingEmulator ?? missingMemcached, settings: cached },
  {
    name: 'file behind a cache', isStored: true,
    settings: (t) => ({ type: 'file', dataDir: temporaryDirectory(t), cache: 'near', backends: { near: { type: 'memory' } } }),
  },
  { name: 'migrating from file to redis', isStored: true, isShared: true, missing: missingRedis, settings: migrating },
  { name: 'cookie, signed', isStored: false, settings: () => ({ type: 'cookie' }) },
  { name: 'cookie, encrypted', isStored: false, settings: () => ({ type: 'cookie', encryptKey: ENCRYPT_KEY }) },
]

export const storedModes: readonly Mode[] = modes.filter(({ isStored }) => isStored)
export const sharedModes: readonly Mode[] = modes.filter(({ isShared }) => isShared)

/** For tests on it, one after the other, since a disk that all write to at once is slow. Without its server they are skipped. */
export const testIn = ({ missing }: Mode): typeof test.serial | typeof test.skip => (missing === undefined ? test.serial : test.skip)

/** Deadlines are generous: a busy disk is not what is tested. */
const PATIENT: SettingsInput = { operationTimeout: 10, requestBudget: 20 }

export const serveMode = async (t: Teardown, mode: Mode, handler: Handler, settings: SettingsInput = {}): Promise<App> =>
  serve(t, handler, { ...PATIENT, ...(await mode.settings(t)), ...settings })
