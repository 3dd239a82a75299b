import { randomBytes } from 'node:crypto'
import type { Data } from './job.js'
import { serveLeast } from './least-server.js'
import { sign, unsign } from './signature.js'

/** Where texts are kept under ids. */
export interface LeastStore {
  get(id: string): string | undefined | Promise<string | undefined>
  set(id: string, text: string): unknown
}

/** The least work where a store keeps the session, and the cookie its signed id. */
export const serveLeastStore = (store: LeastStore): Promise<void> =>
  serveLeast({
    async open(cookie) {
      const id = unsign(cookie)
      const text = id === undefined ? undefined : await store.get(id)
      return text === undefined ? undefined : { id: id!, data: JSON.parse(text) as Data }
    },
    async keep(data, known) {
      const id = known ?? randomBytes(24).toString('base64url')
      await store.set(id, JSON.stringify(data))
      return known === undefined ? sign(id) : undefined
    },
  })
