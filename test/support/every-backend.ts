import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SettingsInput } from '../../src/index.js'
import { serve } from './app.js'
import type { App, Teardown } from './app.js'

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
  settings(t: Teardown): SettingsInput | Promise<SettingsInput>
}

const migratingFiles = (t: Teardown): SettingsInput => {
  const [old, next] = [temporaryDirectory(t), temporaryDirectory(t)]
  return { type: 'migrating', migrating: { from: 'old', to: 'new' }, backends: { old: { type: 'file', dataDir: old }, new: { type: 'file', dataDir: next } } }
}

/** Every backend of the library, plain and encrypted. */
export const modes: readonly Mode[] = [
  { name: 'memory', isStored: true, settings: () => ({ type: 'memory' }) },
  { name: 'memory, encrypted', isStored: true, settings: () => ({ type: 'memory', encryptKey: ENCRYPT_KEY }) },
  { name: 'file', isStored: true, isShared: true, settings: (t) => ({ type: 'file', dataDir: temporaryDirectory(t) }) },
  {
    name: 'file, encrypted', isStored: true, isShared: true,
    settings: (t) => ({ type: 'file', dataDir: temporaryDirectory(t), encryptKey: ENCRYPT_KEY }),
  },
  {
    name: 'file behind a cache', isStored: true,
    settings: (t) => ({ type: 'file', dataDir: temporaryDirectory(t), cache: 'near', backends: { near: { type: 'memory' } } }),
  },
  { name: 'file to file, migrating', isStored: true, isShared: true, settings: migratingFiles },
  { name: 'cookie, signed', isStored: false, settings: () => ({ type: 'cookie' }) },
  { name: 'cookie, encrypted', isStored: false, settings: () => ({ type: 'cookie', encryptKey: ENCRYPT_KEY }) },
]

export const storedModes: readonly Mode[] = modes.filter(({ isStored }) => isStored)
export const sharedModes: readonly Mode[] = modes.filter(({ isShared }) => isShared)

/** Deadlines are generous: a busy disk is not what is tested. */
const PATIENT: SettingsInput = { operationTimeout: 10, requestBudget: 20 }

export const serveMode = async (t: Teardown, mode: Mode, handler: Handler, settings: SettingsInput = {}): Promise<App> =>
  serve(t, handler, { ...PATIENT, ...(await mode.settings(t)), ...settings })
