import { readFileSync } from 'node:fs'

/** Values that a release has given out and that every later one takes: add to them, change none. */
export interface Vectors {
  readonly keys: readonly { secret: string; purpose: string; name: string; salt: string; key: string }[]
  readonly ids: readonly { secrets: string[]; cookieName: string; id: string; cookie: string; key: string }[]
  readonly owners: readonly { owner: string; key: string }[]
  readonly seals: readonly { secrets: string[]; encryptKeys: string[]; name: string; purpose: string; context: string; text: string; sealed: string }[]
  readonly cookies: readonly {
    secrets: string[]; encryptKeys: string[]; namespace: string; cookies: Record<string, string>
    now: number; id: string; version: string; value: string; expiresAt: number
  }[]
}

/** They are no modules and not copied when the tests are built, so they are read where they are kept. */
export const readVectors = (): Vectors => JSON.parse(readFileSync(new URL('../../../test/vectors/format-1.json', import.meta.url), 'utf8')) as Vectors
