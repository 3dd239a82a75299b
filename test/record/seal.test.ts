import test from 'ava'
import crypto, { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { inspect } from 'node:util'
import { sign } from 'cookie-signature'
import fc from 'fast-check'
import { forgetfulSealer } from '../../src/record/seal.js'
import type { Sealer } from '../../src/namespace-manager.js'
import { fuzzCount } from '../support/fuzz-count.js'
import { forgedForms } from '../support/forged-forms.js'

const secret = 'a secret for this test, of more than 32 bytes'
const key = 'an encryption key for this test, over 32 bytes'
const another = 'another key or secret for this test, over 32 bytes'

const signing = (secrets: readonly string[] = [secret], name = 'phial'): Sealer => forgetfulSealer({ secrets, encryptKeys: [], name })
const encrypting = (encryptKeys: readonly string[] = [key], name = 'phial'): Sealer => forgetfulSealer({ secrets: [secret], encryptKeys, name })

const modes = [['signed', signing, secret], ['encrypted', encrypting, key]] as const
const cookieOctets = /^[\x21\x23-\x2B\x2D-\x3A\x3C-\x5B\x5D-\x7E]*$/
const text300 = JSON.stringify({ user: 'Ada 😀', roles: ['admin'], note: 'x'.repeat(150) })

for (const [mode, make, ownKey] of modes) {
  test(`${mode}: what was sealed opens, as it was, in cookie octets`, t => {
    const sealer = make()
    for (const text of ['', 'a', '{"a":1}', 'é', '😀', '\u2028\0\r\n;,"\\', 'x'.repeat(100_000)]) {
      const sealed = sealer.seal('cookie', 'phial', text)
      t.regex(sealed, cookieOctets)
      t.deepEqual(sealer.open('cookie', 'phial', sealed), { text, stale: false })
    }
  })

  test(`${mode}: S134: any well-formed text round trips`, t => {
    const sealer = make()
    fc.assert(fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (text, context) => {
      t.deepEqual(sealer.open('cookie', context, sealer.seal('cookie', context, text)), { text, stale: false })
    }), { numRuns: fuzzCount(1000) })
  })

  test(`${mode}: another process with the same keys opens it`, t => {
    t.deepEqual(make().open('cookie', 'phial', make().seal('cookie', 'phial', 'text')), { text: 'text', stale: false })
  })

  test(`${mode}: S103: a seal is bound to name, purpose and context`, t => {
    const sealer = make()
    const sealed = sealer.seal('cookie', 'phial', 'text')
    t.is(sealer.open('csrf', 'phial', sealed), undefined)
    t.is(sealer.open('cookie', 'other', sealed), undefined)
    t.is(sealer.open('cookie', '', sealed), undefined)
    t.is(sealer.open('cookiephial', '', sealed), undefined)
    t.is(sealer.open('', 'cookiephial', sealed), undefined)
    t.is(sealer.open('cookie","phial', '', sealed), undefined)
    t.is(make([ownKey], 'other').open('cookie', 'phial', sealed), undefined)
  })

  test(`${mode}: S103: a seal is bound to its own purpose and context, whatever was sealed and opened before`, t => {
    const [sealer, other] = [make(), make()]
    const places = [['cookie', 'phial'], ['cookie', 'other'], ['csrf', 'other'], ['cookie', 'phial']] as const
    for (const [purpose, context] of places) {
      const sealed = sealer.seal(purpose, context, 'text')
      for (const by of [sealer, other]) {
        t.is(by.open(purpose, context, sealed)?.text, 'text')
        t.is(by.open(purpose, 'else', sealed), undefined)
        t.is(by.open(purpose, context, sealed)?.text, 'text')
        t.is(by.open('else', context, sealed), undefined)
      }
    }
  })

  test(`${mode}: S109: the newest key seals, all open, a removed one does not, and an older one's is stale`, t => {
    const sealed = make([another]).seal('cookie', '', 'text')
    t.deepEqual(make([ownKey, another]).open('cookie', '', sealed), { text: 'text', stale: true })
    t.deepEqual(make(['third', ownKey, another]).open('cookie', '', sealed), { text: 'text', stale: true })
    t.deepEqual(make([another, ownKey]).open('cookie', '', sealed), { text: 'text', stale: false })
    t.is(make([ownKey]).open('cookie', '', sealed), undefined)
    t.is(make(['third', ownKey]).open('cookie', '', sealed), undefined)
    const renewed = make([ownKey, another]).seal('cookie', '', 'text')
    t.deepEqual(make([ownKey]).open('cookie', '', renewed), { text: 'text', stale: false })
  })

  test(`${mode}: S109: an older key's stays stale when it is opened again`, t => {
    const sealed = make([another]).seal('cookie', '', 'text')
    const sealer = make([ownKey, another])
    for (let time = 0; time < 3; time++) t.deepEqual(sealer.open('cookie', '', sealed), { text: 'text', stale: true })
  })

  test(`${mode}: S109: 1 to 8 keys, none of them empty`, t => {
    t.throws(() => make([ownKey, '']), { code: 'PHIAL_CONFIG' })
    t.throws(() => make(Array.from({ length: 9 }, (_, index) => `key ${index}`)), { code: 'PHIAL_CONFIG' })
    t.notThrows(() => make(Array.from({ length: 8 }, (_, index) => `key ${index}`)))
  })

  test(`${mode}: S102: no flipped bit is accepted`, t => {
    const sealer = make()
    const sealed = sealer.seal('cookie', 'phial', text300)
    t.true(sealed.length >= 300)
    for (let place = 0; place < sealed.length; place++) {
      for (let bit = 0; bit < 8; bit++) {
        const flipped = sealed.slice(0, place) + String.fromCharCode(sealed.charCodeAt(place) ^ (1 << bit)) + sealed.slice(place + 1)
        if (sealer.open('cookie', 'phial', flipped) !== undefined) t.fail(`bit ${bit} of letter ${place}`)
      }
    }
    t.is(sealer.open('cookie', 'phial', sealed)?.text, text300)
  })

  test(`${mode}: S102: no other letter is accepted in any place, and none added or taken away`, t => {
    const sealer = make()
    const sealed = sealer.seal('cookie', 'phial', text300)
    const letters = 'AQgwBZaz09-_+/=. %"\n\u00a0😀'
    for (let place = 0; place <= sealed.length; place++) {
      const cuts = [sealed.slice(0, place), sealed.slice(place), sealed.slice(0, place) + sealed.slice(place + 1)]
      const changed = [...letters].flatMap(letter => [
        sealed.slice(0, place) + letter + sealed.slice(place),
        sealed.slice(0, place) + letter + sealed.slice(place + 1),
      ])
      for (const forged of [...cuts, ...changed]) {
        if (forged !== sealed && sealer.open('cookie', 'phial', forged) !== undefined) t.fail(JSON.stringify(forged))
      }
    }
    t.is(sealer.open('cookie', 'phial', sealed)?.text, text300)
  })

  test(`${mode}: S102: no two messages can be spliced`, t => {
    const sealer = make()
    const one = sealer.seal('cookie', 'phial', text300)
    const two = sealer.seal('cookie', 'phial', text300.replace('Ada', 'Eve'))
    for (let from = 0; from <= one.length; from++) {
      for (let to = 0; to <= two.length; to++) {
        const spliced = one.slice(0, from) + two.slice(to)
        if (spliced !== one && spliced !== two && sealer.open('cookie', 'phial', spliced) !== undefined) t.fail(`${from} ${to}`)
      }
    }
    t.is(sealer.open('cookie', 'phial', two)?.text, text300.replace('Ada', 'Eve'))
  })

  test(`${mode}: S101: nothing of another form is accepted`, t => {
    const sealer = make()
    const forged = forgedForms(text300, secret, key, sealer.seal('cookie', 'phial', text300))
    t.true(forged.length >= 60)
    for (const form of forged) t.is(sealer.open('cookie', 'phial', form), undefined, form)
  })

  test(`${mode}: S101: what the other mode sealed is refused, under the same secret too`, t => {
    for (const secrets of [[secret], [key]]) {
      const sealers = { signed: forgetfulSealer({ secrets, encryptKeys: [], name: 'phial' }), encrypted: forgetfulSealer({ secrets, encryptKeys: secrets, name: 'phial' }) }
      const other = mode === 'signed' ? sealers.encrypted : sealers.signed
      t.is(sealers[mode].open('cookie', '', other.seal('cookie', '', 'text')), undefined)
    }
  })

  test(`${mode}: S014: a sealer does not show its keys`, t => {
    const sealer = make()
    sealer.seal('cookie', '', 'text')
    const shown = inspect(sealer, { depth: 9, showHidden: true }) + JSON.stringify(sealer)
    for (const hidden of [secret, key, Buffer.from(key).toString('hex')]) t.false(shown.includes(hidden))
  })

  test(`${mode}: C04: no text throws`, t => {
    const sealer = make()
    fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.base64String(), fc.string({ unit: fc.constantFrom('\ud800', '\udc00', 'A', '.', '~') })), text => {
      t.is(sealer.open('cookie', '', text), undefined)
    }), { numRuns: fuzzCount(2000) })
    t.pass()
  })
}

test.serial('S100: a forged message is neither parsed nor decoded to text', t => {
  const { parse } = JSON
  let parsed = 0
  JSON.parse = ((text: string) => { parsed++; return parse(text) as unknown }) as typeof JSON.parse
  try {
    for (const [, make] of modes) {
      const sealer = make()
      for (const form of forgedForms(text300, secret, key, sealer.seal('cookie', '', text300))) sealer.open('cookie', '', form)
    }
  } finally {
    JSON.parse = parse
  }
  t.is(parsed, 0)
})

test('signed: the text can be read by whoever has it, and is all there is', t => {
  const sealed = signing().seal('cookie', '', '{"a":1}')
  t.is(Buffer.from(sealed.split('.')[0] ?? '', 'base64url').toString(), '{"a":1}')
  t.regex(sealed, /^[\w-]+\.[A-Za-z0-9+/]{43}$/)
})

test('S077: encrypted: neither the text nor the keys are in the message', t => {
  const canary = 'canary-of-the-test'
  const sealed = encrypting().seal('cookie', canary, canary.repeat(10))
  const bytes = Buffer.from(sealed, 'base64url').toString('latin1')
  for (const hidden of [canary, canary.slice(0, 8), key, secret]) {
    t.false(sealed.includes(hidden))
    t.false(bytes.includes(hidden))
  }
})

// The format, written down a second time from what the library says of it.
const parts = (sealed: string) => {
  const bytes = Buffer.from(sealed, 'base64url')
  return { version: bytes[0], keyId: bytes.subarray(1, 5), salt: bytes.subarray(5, 21), nonce: bytes.subarray(21, 33), body: bytes.subarray(33, -16), tag: bytes.subarray(-16) }
}
const hkdf = (from: string | Buffer, salt: string | Buffer, info: string): Buffer => Buffer.from(hkdfSync('sha256', from, salt, info, 32))
const epochKeyOf = (salt: Buffer, name = 'phial'): Buffer => hkdf(hkdf(key, '', `phial/1 seal encrypt\0${name}`), salt, 'phial/1 seal epoch\0')
const authenticatedBy = (sealed: string, purpose: string, context: string): Buffer => Buffer.from(sealed.slice(0, 28) + JSON.stringify(['phial', purpose, context]))

test('S104: encrypted: the message is AES-256-GCM under a key that HKDF derives for its salt', t => {
  const sealed = encrypting().seal('cookie', 'phial', text300)
  const { version, keyId, salt, nonce, body, tag } = parts(sealed)
  t.is(version, 1)
  t.deepEqual(keyId, hkdf(key, '', 'phial/1 seal key id\0phial').subarray(0, 4))
  const decipher = createDecipheriv('aes-256-gcm', epochKeyOf(salt), nonce, { authTagLength: 16 })
  decipher.setAAD(authenticatedBy(sealed, 'cookie', 'phial'))
  decipher.setAuthTag(tag)
  t.is(Buffer.concat([decipher.update(body), decipher.final()]).toString(), text300)
})

const sealedByHand = ({ version = 1, keyId = undefined as Buffer | undefined, tagBytes = 16, purpose = 'cookie', authenticated = undefined as string | undefined } = {}): string => {
  const salt = randomBytes(16)
  const nonce = randomBytes(12)
  const prefix = Buffer.concat([Buffer.from([version]), keyId ?? hkdf(key, '', 'phial/1 seal key id\0phial').subarray(0, 4), salt])
  const cipher = createCipheriv('aes-256-gcm', epochKeyOf(salt), nonce, { authTagLength: tagBytes })
  cipher.setAAD(authenticated === undefined ? authenticatedBy(prefix.toString('base64url'), purpose, '') : Buffer.from(authenticated))
  return Buffer.concat([prefix, nonce, cipher.update('text'), cipher.final(), cipher.getAuthTag()]).toString('base64url')
}

test('S103: encrypted: format version and key id are authenticated, and an unknown version is refused', t => {
  const sealer = encrypting()
  t.is(sealer.open('cookie', '', sealedByHand())?.text, 'text')
  for (const version of [0, 2, 255]) t.is(sealer.open('cookie', '', sealedByHand({ version })), undefined)
  t.is(sealer.open('cookie', '', sealedByHand({ keyId: Buffer.from('none') })), undefined)
  t.is(sealer.open('cookie', '', sealedByHand({ purpose: 'other' })), undefined)
  t.is(sealer.open('cookie', '', sealedByHand({ authenticated: '' })), undefined)
  t.is(sealer.open('cookie', '', sealedByHand({ authenticated: JSON.stringify(['phial', 'cookie', '']) })), undefined)
})

test('S105: encrypted: a tag that is not 16 bytes is refused', t => {
  const sealer = encrypting()
  for (const tagBytes of [4, 8, 12, 13, 14, 15]) t.is(sealer.open('cookie', '', sealedByHand({ tagBytes })), undefined, String(tagBytes))
})

test('S106: encrypted: no nonce and no message comes twice', t => {
  const sealer = encrypting()
  const count = fuzzCount(50_000)
  const nonces = new Set<string>()
  for (let made = 0; made < count; made++) nonces.add(sealer.seal('cookie', '', '').slice(28, 44))
  t.is(nonces.size, count)
})

test('encrypted: each process has a salt of its own, and keeps it', t => {
  const [one, two] = [encrypting(), encrypting()]
  const prefix = one.seal('cookie', '', 'text').slice(0, 28)
  t.is(one.seal('csrf', 'x', 'another').slice(0, 28), prefix)
  t.not(two.seal('cookie', '', 'text').slice(0, 28), prefix)
})

test.serial('encrypted: after an hour another key is derived, and the old messages still open', t => {
  const { now } = performance
  const sealer = encrypting()
  const old = sealer.seal('cookie', '', 'text')
  try {
    const start = performance.now()
    performance.now = () => start + 3_590_000
    t.is(sealer.seal('cookie', '', 'text').slice(0, 28), old.slice(0, 28))
    performance.now = () => start + 3_600_001
    t.not(sealer.seal('cookie', '', 'text').slice(0, 28), old.slice(0, 28))
  } finally {
    performance.now = now
  }
  t.is(sealer.open('cookie', '', old)?.text, 'text')
})

test('encrypted: after 2^20 messages another key is derived', t => {
  const sealer = encrypting()
  const prefix = sealer.seal('cookie', '', '').slice(0, 28)
  for (let made = 1; made < 2 ** 20 - 1; made++) sealer.seal('', '', '')
  t.is(sealer.seal('cookie', '', '').slice(0, 28), prefix)
  t.not(sealer.seal('cookie', '', '').slice(0, 28), prefix)
})

/** How often `act` has the system do something. */
const callsOf = (name: 'hkdfSync' | 'createHmac', act: () => void): number => {
  const original = crypto[name]
  let calls = 0
  Object.assign(crypto, { [name]: (...given: unknown[]) => { calls++; return Reflect.apply(original, crypto, given) as unknown } })
  syncBuiltinESMExports()
  try {
    act()
  } finally {
    Object.assign(crypto, { [name]: original })
    syncBuiltinESMExports()
  }
  return calls
}

test.serial('encrypted: the keys of 256 epochs are remembered, and those of all are found', t => {
  const sealer = encrypting()
  const messages = Array.from({ length: 257 }, () => sealedByHand())
  const openAll = (some: readonly string[]) => (): void => { for (const message of some) t.is(sealer.open('cookie', '', message)?.text, 'text') }
  t.is(callsOf('hkdfSync', openAll(messages)), 257)
  t.is(callsOf('hkdfSync', openAll(messages.slice(1))), 0)
  // The second is used again, so that the third is forgotten for the first.
  t.is(callsOf('hkdfSync', openAll(messages.slice(1, 2))), 0)
  t.is(callsOf('hkdfSync', openAll(messages.slice(0, 1))), 1)
  t.is(callsOf('hkdfSync', openAll(messages.slice(1, 2))), 0)
  t.is(callsOf('hkdfSync', openAll(messages.slice(2, 3))), 1)
})

test.serial('encrypted: forged messages push no remembered key out', t => {
  const sealer = encrypting()
  const message = sealedByHand()
  sealer.open('cookie', '', message)
  for (let forged = 0; forged < 300; forged++) sealer.open('cookie', '', sealedByHand({ purpose: 'other' }))
  t.is(callsOf('hkdfSync', () => sealer.open('cookie', '', message)), 0)
})

test.serial('signed: what has not the form of a signed text costs no HMAC', t => {
  const sealer = signing()
  const sealed = sealer.seal('cookie', '', 'text')
  t.is(callsOf('createHmac', () => sealer.open('cookie', '', sealed)), 1)
  for (const malformed of ['', '.', 'x'.repeat(44), sealed.slice(1).replace('.', 'x'), `${sealed}x`]) {
    t.is(callsOf('createHmac', () => sealer.open('cookie', '', malformed)), 0, malformed)
  }
})

test('S109: encrypted: two keys that have the same key id by chance both open', t => {
  const [one, two] = ['148599', '183152'].map(number => `one of two keys with the same key id, number ${number}`) as [string, string]
  const sealed = encrypting([two]).seal('cookie', '', 'text')
  t.is(sealed.slice(0, 6), encrypting([one]).seal('cookie', '', 'text').slice(0, 6))
  t.deepEqual(encrypting([one, two]).open('cookie', '', sealed), { text: 'text', stale: true })
  t.deepEqual(encrypting([two, one]).open('cookie', '', sealed), { text: 'text', stale: false })
  t.is(encrypting([one]).open('cookie', '', sealed), undefined)
})

test('signed: what was signed with the secret itself, or for something else, is refused', t => {
  const payload = Buffer.from('text').toString('base64url')
  t.is(signing().open('cookie', '', sign(payload, secret)), undefined)
  t.is(signing().open('cookie', '', sign(`["phial","cookie",""].${payload}`, secret).slice(21)), undefined)
})
