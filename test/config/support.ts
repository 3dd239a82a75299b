import type { ExecutionContext } from 'ava'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadIni } from '../../config/load-ini.js'
import { resolveSettings } from '../../config/resolve-settings.js'
import type { OptionTables } from '../../config/option-tables.js'
import type { SettingsInput } from '../../config/table.js'
import { ConfigError } from '../../src/errors.js'
import type { Settings } from '../../src/settings.js'

export const strong = (): string => randomBytes(32).toString('base64url')

export const secret: string = strong()

export const tables: OptionTables = {
  memory: {
    max_sessions: { type: 'count', default: 10_000, sentence: 'The most sessions kept.' },
    sweep_every: { type: 'seconds', default: 60, sentence: 'How often expired ones are removed.', least: 5 },
    strict: { type: 'boolean', default: undefined, sentence: 'A flag without a default.' },
    label: { type: 'string', default: 'a|b', sentence: 'Any text.' },
    quota: { type: 'count', default: undefined, sentence: 'A count without a default.', least: 0 },
    note: { type: 'string', default: undefined, sentence: 'A text without a default.' },
  },
  file: {},
  cookie: { chunks: { type: 'count', default: 1, sentence: 'The most cookies of a session.' } },
  server: {
    password: { type: 'string', default: undefined, sentence: 'What it wants to hear.', secret: true },
    client: { type: 'object', default: undefined, sentence: 'A client that is there already.' },
    behind: { type: 'backend', default: undefined, sentence: 'Another backend.' },
    max_calls: { type: 'count', default: 5, sentence: 'The most calls at once.' },
  },
}

/** A new directory, gone after the test. */
export const directory = (t: ExecutionContext): string => {
  const path = mkdtempSync(join(tmpdir(), 'phial-config-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** A file with this text. */
export const iniFile = (t: ExecutionContext, text: string, name = 'app.ini'): string => {
  const path = join(directory(t), name)
  writeFileSync(path, text)
  return path
}

/** The lines in a section of their own: the first of them is line 2. */
export const inSection = (...lines: string[]): string => ['[app:main]', ...lines, ''].join('\n')

export const resolveIni = (path: string, overrides?: SettingsInput): Settings =>
  resolveSettings(loadIni(path, {}, tables), overrides, tables)

export const resolvePlain = (input: object): Settings => resolveSettings({ secret, ...input } as SettingsInput, undefined, tables)

/** The `ConfigError` that the call throws; the test fails when it throws none, or another error. */
export const faultOf = (t: ExecutionContext, call: () => unknown): ConfigError => {
  const error = t.throws(call, { instanceOf: ConfigError, code: 'PHIAL_CONFIG' })
  return error as ConfigError
}

/** Sets variables of the environment for one synchronous call. */
export const withEnvironment = <R>(variables: Record<string, string | undefined>, call: () => R): R => {
  const before = Object.keys(variables).map(name => [name, process.env[name]] as const)
  try {
    for (const [name, value] of Object.entries(variables)) setVariable(name, value)
    return call()
  } finally {
    for (const [name, value] of before) setVariable(name, value)
  }
}

const setVariable = (name: string, value: string | undefined): void => {
  if (value === undefined) delete process.env[name]
  else process.env[name] = value
}
