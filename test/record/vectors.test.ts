import test from 'ava'
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { cookieBackend } from '../../backends/cookie.js'
import type { RequestNamespace } from '../../src/namespace-manager.js'
import { IdKeys } from '../../src/record/id-keys.js'
import { keyOf, ownerKeyOf, SignedIds } from '../../src/record/id.js'
import { deriveBytes } from '../../src/record/keys.js'
import { makeSealer } from '../../src/record/seal.js'
import { Jar, plainAttributes } from '../support/jar-carrier.js'
import { readVectors } from '../support/vectors.js'

const vectors = readVectors()

// The seals hold random salts and nonces. Here they are blocks of a hash, from the first that this process asks for.
let block = 0
const knownBytes = (size: number): Buffer => {
  const blocks = Array.from({ length: Math.ceil(size / 32) }, () => crypto.createHash('sha256').update(`phial test vectors ${block++}`).digest())
  return Buffer.concat(blocks).subarray(0, size)
}

test.serial('S115: sealing the same with the same salts and nonces gives the same', t => {
  const { randomBytes } = crypto
  crypto.randomBytes = knownBytes as typeof crypto.randomBytes
  syncBuiltinESMExports()
  try {
    for (const { secrets, encryptKeys, name, purpose, context, text, sealed } of vectors.seals) {
      t.is(makeSealer({ secrets, encryptKeys, name }).seal(purpose, context, text), sealed)
    }
  } finally {
    crypto.randomBytes = randomBytes
    syncBuiltinESMExports()
  }
})

test('S115: what an earlier release sealed still opens', t => {
  for (const { secrets, encryptKeys, name, purpose, context, text, sealed } of vectors.seals) {
    t.deepEqual(makeSealer({ secrets, encryptKeys, name }).open(purpose, context, sealed), { text, stale: false })
  }
  t.true(vectors.seals.some(({ encryptKeys }) => encryptKeys.length > 0))
  t.true(vectors.seals.some(({ encryptKeys }) => encryptKeys.length === 0))
})

test('S107, S115: keys are derived as they always were', t => {
  for (const { secret, purpose, name, salt, key } of vectors.keys) t.is(deriveBytes(secret, purpose, name, salt).toString('hex'), key)
  t.true(vectors.keys.length > 0)
})

test('S115: an id that an earlier release signed is still ours, and stored under the same key', t => {
  for (const { secrets, cookieName, id, cookie, key } of vectors.ids) {
    const jar = new Jar()
    jar.keep(cookieName, cookie)
    const carrier = jar.request(cookieName)
    const ids = new SignedIds(carrier, new IdKeys(secrets, cookieName, keyOf))
    t.deepEqual(ids.readId(), { id, stale: false })
    ids.writeId(id, plainAttributes)
    t.is(carrier.sent()?.value, cookie)
    t.is(keyOf(id), key)
  }
  for (const { owner, key } of vectors.owners) t.is(ownerKeyOf(owner), key)
  t.true(vectors.ids.length > 0 && vectors.owners.length > 0)
})

test('C20, S115: a session that an earlier release put into a cookie is still read', async t => {
  for (const { secrets, encryptKeys, namespace, cookies, now, id, version, value, expiresAt } of vectors.cookies) {
    const jar = new Jar()
    for (const [name, cookie] of Object.entries(cookies)) jar.keep(name, cookie)
    const backend = cookieBackend.open({ namespace, now: () => now, options: { chunks: 8 }, maxBytes: 262_144, sealer: makeSealer({ secrets, encryptKeys, name: namespace }) }) as RequestNamespace
    const manager = backend.forRequest(jar.request('__Host-phial'))
    t.deepEqual(manager.readId(), { id, stale: false })
    t.deepEqual(await manager.get(id), { value, version, expiresAt, touched: false })
  }
  t.true(vectors.cookies.length > 0)
})
