import { readIniFile } from './ini-file.js'
import type { IniSection } from './ini-section.js'
import { fault, unfit } from './origin.js'
import { originOf, ownText, placeOf } from './own-text.js'
import { wordFor } from './paste-words.js'

/** Where a server listens. */
export interface ServerAddress {
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
}

/** Reads `[server:main]`; what it does not say is 127.0.0.1 and 5000. Throws `ConfigError` with file and line. */
export const readServer = (path: string): ServerAddress => {
  const file = readIniFile(path)
  const section = file.sections.includes('server:main') ? file.section('server:main') : undefined
  const unknown = section?.ownKeys.find((key) => !['use', 'host', 'port'].includes(key))
  if (unknown !== undefined) throw fault(placeOf(section!, unknown), 'unknown here: a server has a host and a port')
  read(section, 'use', 'http, which is the only one', (use) => (wordFor(use) === 'http' ? use : undefined))
  return {
    host: read(section, 'host', 'an address or a name of this machine', readHost) ?? '127.0.0.1',
    port: read(section, 'port', 'a port, 0 to 65535', readPort) ?? 5000,
  }
}

const read = <V>(section: IniSection | undefined, key: string, expected: string, parse: (text: string) => V | undefined): V | undefined => {
  const text = section && ownText(section, key)
  const value = text === undefined ? undefined : parse(text)
  if (text !== undefined && value === undefined) throw unfit(originOf(section!, key), expected, text)
  return value
}

export const readHost = (text: string): string | undefined => (/^[\w.:%-]+$/.test(text) ? text : undefined)

export const readPort = (text: string): number | undefined => (/^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined)
