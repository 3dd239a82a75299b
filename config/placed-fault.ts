import { ConfigError } from '../src/errors.js'
import { givenBy, SettingsSource } from './settings-source.js'

/** A fault that shows only when a setting is put to use, with the place in the INI file where that was written, if it was. */
export const placedFault = (error: unknown, input: unknown, overrides: object = {}): unknown => {
  if (!(error instanceof ConfigError) || !(input instanceof SettingsSource) || error.file !== undefined || error.setting === undefined) return error
  const { setting, message, cause } = error
  const [name, given] = [...givenBy(input)].find(([, { origin }]) => bare(origin.setting) === bare(setting)) ?? []
  if (name !== undefined && Object.hasOwn(overrides, name)) return error // what is wrong was not written in the file
  const origin = given?.origin
  const text = message.startsWith(`${setting}: `) ? message.slice(setting.length + 2) : message
  const written = origin?.setting ?? `session.${bare(setting)}`
  return new ConfigError(`${written}: ${text}`, { ...(origin ?? { file: input.file }), setting: written, cause })
}

const bare = (setting: string): string => setting.replace(/^(?:beaker\.)?session\./, '')
