import test from 'ava'
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { makeSealer } from '../../src/record/seal.js'
import { newId, nonce } from '../../src/record/id.js'

// The stubs stand where the library takes the random source from, so these tests are serial and in a file of their own.
const { randomBytes } = crypto

const withSource = <T>(source: (size: number) => Buffer, act: () => T): T => {
  crypto.randomBytes = source as typeof crypto.randomBytes
  syncBuiltinESMExports()
  try {
    return act()
  } finally {
    crypto.randomBytes = randomBytes
    syncBuiltinESMExports()
  }
}

/** Uses up what is in the pool, so that the next taking asks the source. */
const drain = (): void => {
  let asked = 0
  withSource(size => { asked++; return randomBytes(size) }, () => { while (asked === 0) newId() })
  for (let taken = 1; taken < 128; taken++) newId()
}

test.serial('S001: ids are 32 bytes each of what the system gave', t => {
  drain()
  const filled: Buffer[] = []
  const ids = withSource(size => { const fresh = randomBytes(size); filled.push(Buffer.from(fresh)); return fresh }, () => Array.from({ length: 128 }, newId))
  t.is(filled.length, 1)
  t.is(ids.join(''), Array.from({ length: 128 }, (_, index) => filled[0]?.toString('base64url', index * 32, index * 32 + 32)).join(''))
})

test.serial('what was given is overwritten in the pool', t => {
  drain()
  let pool = Buffer.alloc(0)
  withSource(size => (pool = randomBytes(size)), newId)
  const before = Buffer.from(pool)
  t.true(pool.subarray(0, 32).every(byte => byte === 0))
  t.false(pool.subarray(32).every(byte => byte === 0))
  t.is(nonce(), before.toString('base64url', 32, 44))
  t.true(pool.subarray(0, 44).every(byte => byte === 0))
})

const fails = () => { throw new Error('no entropy') }
const stuck = randomBytes(4096)

for (const [failure, source] of [
  ['throws', fails],
  ['answers nothing', () => Buffer.alloc(0)],
  ['gives too few bytes', (size: number) => randomBytes(size - 1)],
  ['gives zeros', (size: number) => Buffer.alloc(size)],
  ['repeats a short block', (size: number) => Buffer.alloc(size, randomBytes(32))],
] as const) {
  test.serial(`S003: a source that ${failure} gives no id, and a mended one does`, t => {
    drain()
    withSource(source, () => {
      t.throws(newId, { code: 'PHIAL_STORE_UNAVAILABLE' })
      t.throws(newId, { code: 'PHIAL_STORE_UNAVAILABLE' })
    })
    t.regex(newId(), /^[\w-]{43}$/)
  })
}

test.serial('S106: a source that gives the same again is noticed', t => {
  drain()
  withSource(() => Buffer.from(stuck), () => {
    for (let taken = 0; taken < 128; taken++) newId()
    t.throws(newId, { message: /repeats/ })
  })
})

test.serial('S003: nothing is sealed without a nonce', t => {
  const sealer = makeSealer({ secrets: [], encryptKeys: ['a key for this test, of more than 32 bytes'], name: 'phial' })
  drain()
  withSource(fails, () => t.throws(() => sealer.seal('cookie', '', 'text'), { code: 'PHIAL_STORE_UNAVAILABLE' }))
  t.is(sealer.open('cookie', '', sealer.seal('cookie', '', 'text'))?.text, 'text')
})
