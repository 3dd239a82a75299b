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

test('S102, S110: what is no signature of ours is none, whatever is in its place', t => {
  const keys = signingKeys(['one'], 'id', 'phial')
  const signed = sign('te.xt', keys[0]!)
  t.is(signedBy(signed, keys), 0)
  const [text, signature] = ['te.xt', signed.slice(-43)]
  const letters = [...signature, 'é', 'Ł', '😀', '', '=', '.', '\0', '\u{1d7d8}']
  for (let place = 0; place < signature.length; place++) {
    for (const letter of letters) {
      const other = signature.slice(0, place) + letter + signature.slice(place + 1)
      if (other !== signature && signedBy(`${text}.${other}`, keys) !== -1) t.fail(JSON.stringify(other))
    }
    // The letter whose code ends like ours, which latin1 would take for it.
    const alike = String.fromCharCode(signature.charCodeAt(place) + 0x100)
    t.is(signedBy(`${text}.${signature.slice(0, place)}${alike}${signature.slice(place + 1)}`, keys), -1)
  }
  for (const other of [`${text}${signature}`, `${text},${signature}`, `${text}.${signature}=`, signature, `.${signature}`, '', '.', text, `${text}.`]) t.is(signedBy(other, keys), -1, other)
})
