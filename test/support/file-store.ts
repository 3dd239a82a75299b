import type { ExecutionContext } from 'ava'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileBackend } from '../../backends/file.js'
import { Directories } from '../../backends/file/directories.js'
import { pooledDisk } from '../../backends/file/disk.js'
import { newToken } from '../../backends/file/holder.js'
import { claimOn } from '../../backends/file/lock-directory.js'
import { takeLock } from '../../backends/file/lock.js'
import { Stages } from '../../backends/file/stages.js'
import type { FileManager } from '../../backends/file/file-manager.js'

export const namespace = 'app'

/** On which kind of disk the stores of the tests are: see `on-remote-disk.ts`. */
const disk = process.env['PHIAL_TEST_DISK'] ?? 'local'

/** A directory that goes when the test is over; the store's own is made inside it. */
export const temporaryDirectory = (t: ExecutionContext): string => {
  const directory = mkdtempSync(join(tmpdir(), 'phial-file-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

export interface OpenSettings {
  readonly now?: () => number
  readonly sync?: boolean
  readonly disk?: string
  readonly purgeInterval?: number
  readonly namespace?: string
  readonly lockDir?: string
}

const noSealer = { seal: () => '', open: () => undefined }

export const openStore = (dataDir: string, settings: OpenSettings = {}): FileManager =>
  fileBackend.open({
    namespace: settings.namespace ?? namespace,
    now: settings.now ?? Date.now,
    options: { sync: settings.sync ?? false, disk: settings.disk ?? disk, purgeInterval: settings.purgeInterval ?? 0 },
    dataDir,
    lockDir: settings.lockDir,
    maxBytes: 262144,
    sealer: noSealer
  }) as FileManager

/** A store of the test's own, closed with it, and the directory of its records. */
export const newStore = (t: ExecutionContext, settings: OpenSettings = {}): { store: FileManager; data: string } => {
  const data = join(temporaryDirectory(t), 'data')
  const store = openStore(data, settings)
  t.teardown(() => store.close())
  return { store, data }
}

export const newKey = (): string => randomBytes(32).toString('hex')

export const stagesIn = (data: string): string[] => readdirSync(join(data, namespace, 'stages')).toSorted()

export const keyOf = (name: string): string => createHash('sha256').update(name).digest('hex')

export const recordPath = (data: string, key: string): string => join(data, namespace, 'records', key.slice(0, 2), key)

/** Everything that is not a directory, and every directory with nothing in it, relative to the directory; but for idle stages. */
export const contentsOf = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() || !/\/stages(\/|$)/.test(join(entry.parentPath, entry.name)))
    .filter(entry => !entry.isDirectory() || readdirSync(join(entry.parentPath, entry.name)).length === 0)
    .map(entry => relative(directory, join(entry.parentPath, entry.name)))
    .toSorted()

/** Whether the lock of a record is had at the first try: it is free, or its holder is seen to be dead. */
export const isFreeAtOnce = async (path: string): Promise<boolean> => {
  const root = mkdtempSync(join(dirname(path), 'stages'))
  const stages = new Stages(pooledDisk, root, new Directories(pooledDisk, root, false))
  const lock = await takeLock(claimOn(path, await stages.make(newToken())), Date.now, () => true)
  await lock?.drop()
  rmSync(root, { recursive: true })
  return lock !== undefined
}

export const inAnHour = (): number => Date.now() + 3_600_000

/** A clock that is set by hand. */
export interface HandClock {
  (): number
  set(to: number): void
}

export const handClock = (start: number): HandClock => {
  let time = start
  return Object.assign(() => time, { set: (to: number) => void (time = to) })
}
