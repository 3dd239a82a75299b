import test from 'ava'
import { cookieBackend } from '../../backends/cookie.js'
import type { IdSource } from '../../src/carrier.js'
import type { Manifest, NamespaceManager, RequestNamespace, StoredRecord, Touch } from '../../src/namespace-manager.js'
import { makeSealer } from '../../src/record/seal.js'
import { contractCases } from '../contract/index.js'
import type { ContractFixture } from '../contract/index.js'
import { Jar, plainAttributes } from '../support/jar-carrier.js'
import type { JarCarrier } from '../support/jar-carrier.js'

const SECRETS = ['W9v-3kqT_0zYb7Lr5nXc2mPd8sHf6gJa']
const ENCRYPT_KEYS = ['pR4-yB8_nK2wV6tJ0sM5hD9fL3gZ7cXq']

/** Sends what was written, as a session does after each call that wrote. */
class SendingManager implements NamespaceManager {
  readonly supports: Manifest
  readonly #manager: NamespaceManager & IdSource

  constructor(manager: NamespaceManager & IdSource) {
    this.#manager = manager
    this.supports = manager.supports
  }

  async get(key: string, touch?: Touch): Promise<StoredRecord | undefined> {
    const stored = await this.#manager.get(key, touch)
    return this.#sent(key, stored, stored?.touched === true)
  }

  async create(key: string, value: string, expiresAt: number): Promise<string | undefined> {
    const version = await this.#manager.create(key, value, expiresAt)
    return this.#sent(key, version, version !== undefined)
  }

  async replace(key: string, value: string, version: string, expiresAt: number): Promise<string | undefined> {
    const written = await this.#manager.replace(key, value, version, expiresAt)
    return this.#sent(key, written, written !== undefined)
  }

  async touch(key: string, expiresAt: number): Promise<boolean> {
    const touched = await this.#manager.touch(key, expiresAt)
    return this.#sent(key, touched, touched)
  }

  delete(key: string): Promise<void>
  delete(key: string, version: string): Promise<boolean>
  async delete(key: string, version?: string): Promise<boolean | void> {
    const mine = this.#manager.readId()?.id === key || (await this.#manager.get(key)) !== undefined
    const removed = await (version === undefined ? this.#manager.delete(key) : this.#manager.delete(key, version))
    if (mine && removed !== false) this.#manager.expireId(plainAttributes)
    return removed
  }

  close(): Promise<void> {
    return this.#manager.close()
  }

  #sent<R>(key: string, result: R, isWritten: boolean): R {
    if (isWritten) this.#manager.writeId(key, plainAttributes)
    return result
  }
}

const fixture = (encryptKeys: readonly string[]): ContractFixture => {
  const sealer = makeSealer({ secrets: SECRETS, encryptKeys, name: 'phial' })
  const open = (now: () => number): RequestNamespace => cookieBackend.open({
    namespace: 'test', now, options: { chunks: 1 }, maxBytes: 262_144, lifetime: 600 * 86_400, sealer,
  }) as RequestNamespace
  return {
    supports: open(Date.now).forRequest(new Jar().request()).supports,
    createStore() {
      let clock = 1_800_000_000_000
      const jar = new Jar()
      jar.now = () => clock
      const namespace = open(() => clock)
      let request: JarCarrier | undefined
      return {
        open() {
          request?.respond()
          request = jar.request()
          return new SendingManager(namespace.forRequest(request))
        },
        now: () => clock,
        advance(ms) {
          clock += ms
        },
        dispose: () => namespace.close(),
      }
    },
  }
}

for (const [mode, keys] of [['signed', []], ['encrypted', ENCRYPT_KEYS]] as const) {
  for (const { name, run } of contractCases(fixture(keys))) test(`${mode}: ${name}`, (t) => t.notThrowsAsync(run()))
}
