import { readFileSync } from 'node:fs'
import { ConfigError } from '../../src/errors.js'
import type { RedisOptions } from './manifest.js'

const settings = { ca: 'ca_file', cert: 'cert_file', key: 'key_file' } as const

/** For `tls.connect`: the files that the settings name, read now. Throws `ConfigError` for one that cannot be read. */
export const tlsOptions = ({ caFile, certFile, keyFile }: RedisOptions): Readonly<Record<string, Buffer>> => {
  const files = { ca: caFile, cert: certFile, key: keyFile }
  return Object.fromEntries(Object.entries(files).flatMap(([name, file]) => (file === undefined ? [] : [[name, contentsOf(file, name as keyof typeof settings)]])))
}

const contentsOf = (file: string, name: keyof typeof settings): Buffer => {
  const setting = `redis.${settings[name]}`
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new ConfigError(`${setting}: the file cannot be read (${String((cause as NodeJS.ErrnoException).code)})`, { setting, cause })
  }
}
