import test from 'ava'
import { createHmac } from 'node:crypto'
import { deriveBytes, deriveKey, signedBy, signingKeys } from '../../src/record/keys.js'
import { sign } from 'cookie-signature'

const secret = 'a secret for this test, of more than 32 bytes'

test('S107: a key is HKDF-SHA-256 (RFC 5869) of the secret, with its purpose and name as label', t => {
  for (const salt of ['', 'a salt']) {
    const extracted = createHmac('sha256', salt).update(secret).digest()
    const expanded = createHmac('sha256', extracted).update('phial/1 id\0phial\x01').digest()
    t.deepEqual(deriveBytes(secret, 'id', 'phial', salt), expanded)
    t.deepEqual(deriveKey(secret, 'id', 'phial', salt).export(), expanded)
  }
})

test('S107: another purpose, name, secret or salt gives another key', t => {
  const keys = [
    deriveBytes(secret, 'id', 'phial'),
    deriveBytes(secret, 'seal sign', 'phial'),
    deriveBytes(secret, 'id', 'other'),
    deriveBytes(`${secret}!`, 'id', 'phial'),
    deriveBytes(secret, 'id', 'phial', 'salt'),
  ]
  t.is(new Set(keys.map(key => key.toString('hex'))).size, keys.length)
})

test('S109: every key is tried, whichever signed, so that the time does not tell which', t => {
  const keys = signingKeys(['one', 'two', 'three'], 'id', 'phial')
  for (const [index, key] of keys.entries()) {
    const tried: unknown[] = []
    const watched = new Proxy(keys, {
      get(target, name, receiver) {
        if (typeof name === 'string' && /^\d+$/.test(name)) tried.push(name)
        return Reflect.get(target, name, receiver) as unknown
      },
    })
    t.is(signedBy(sign('text', key), watched), index)
    t.is(tried.length, 3)
  }
  t.is(signedBy(sign('text', 'another'), keys), -1)
})

test('S109: of two equal keys the newer one signed it', t => {
  const keys = signingKeys(['same', 'same'], 'id', 'phial')
  t.is(signedBy(sign('text', keys[1] as (typeof keys)[number]), keys), 0)
})
