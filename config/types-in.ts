import { givenBy, SettingsSource } from './settings-source.js'

const isType = /^(?:backends\.[^.]+\.)?type$/

/** The types of backends that settings name, before they are checked: each may bring options of its own. */
export const typesIn = (input: unknown): unknown[] => {
  if (input instanceof SettingsSource) return [...givenBy(input)].filter(([id]) => isType.test(id)).map(([, { value }]) => value)
  const { type, backends } = (input ?? {}) as { readonly type?: unknown; readonly backends?: unknown }
  const others = Object.values(backends ?? {}).map((backend) => (backend as { readonly type?: unknown } | undefined)?.type)
  return [type, ...others].filter((found) => found !== undefined)
}
