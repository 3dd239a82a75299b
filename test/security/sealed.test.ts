import test from 'ava'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { keyOf, newId } from '../../src/record/id.js'
import type { SettingsInput } from '../../src/index.js'
import { forgedForms } from '../support/forged-forms.js'
import { Clock, SECRET } from '../support/harness.js'
import {
  acts, ask, cookieFor, COOKIES, directory, ENCRYPT_KEY, MODES, openStore, record, serveIn, STORED,
  Visitor,
} from './support.js'
import type { Reply } from './support.js'

const SECRETS = [SECRET, 'nQ3_x7Kd9vLr2Tb6WmYc0sZh5pFg8jJe', 'a5Hk_T1wUe8RzVq4Xo7NbMd2CyLs9PfG']

for (const mode of COOKIES) {
  test.serial(`S101: no other form passes for a session, and each is told: ${mode.name}`, async (t) => {
    const told = record(t)
    const { port } = await serveIn(t, mode, acts)
    const visitor = new Visitor(port)
    await visitor.ask('/set?user=ann')
    const value = (await visitor.cookies()).slice('phial='.length)
    const forms = forgedForms('{"user":"eve"}', SECRET, ENCRYPT_KEY, value).filter(
      (form) => /^[\x20-\x7e]*$/.test(form) && !/^ | $|;/.test(form)
    )
    for (const other of COOKIES.filter(({ name }) => name !== mode.name)) {
      const { setCookies } = await ask((await serveIn(t, other, acts)).port, '/set?user=eve')
      forms.push(setCookies[0]!.split(';')[0]!.slice('phial='.length))
    }
    t.true(forms.length >= 60)
    for (const form of forms) {
      told.length = 0
      const { status, body, setCookies } = await ask(port, '/', { cookie: `phial=${form}` })
      t.deepEqual([status, body, setCookies], [200, '{}', []], form)
      t.deepEqual(told.map(({ event }) => event), ['rejected-id'], form)
    }
    t.is(await visitor.body(), '{"user":"ann"}')
  })

  test(`S103: a value is good under its own cookie's name and in its own slot alone: ${mode.name}`, async (t) => {
    const { port } = await serveIn(t, mode, acts)
    const other = await serveIn(t, mode, acts, { cookieName: 'other' })
    const visitor = new Visitor(port)
    await visitor.ask('/set?user=ann')
    const value = (await visitor.cookies()).slice('phial='.length)
    t.is((await ask(other.port, '/', { cookie: `other=${value}` })).body, '{}')
    t.is((await ask(port, '/', { cookie: `phial=; phial-seen=${value}` })).body, '{}')
    t.is((await ask(port, '/', { cookie: `phial=${value}; phial-seen=${value}` })).body, '{"user":"ann"}')
  })

  // The seal of the cookie is bound to the cookie's name, and not to the namespace.
  test(`S103: a session of another application on the same secret is refused: ${mode.name}`, async (t) => {
    const one = new Visitor((await serveIn(t, mode, acts, { namespace: 'one' })).port)
    await one.ask('/set?user=ann')
    const { port } = await serveIn(t, mode, acts, { namespace: 'two' })
    t.is((await ask(port, '/', { cookie: await one.cookies() })).body, '{}')
  })
}

for (const mode of STORED) {
  test(`S103: a session of another application on the same secret and store is refused: ${mode.name}`, async (t) => {
    const dataDir = directory(t)
    const one = new Visitor((await serveIn(t, mode, acts, { namespace: 'one', dataDir })).port)
    await one.ask('/set?user=ann')
    const { port } = await serveIn(t, mode, acts, { namespace: 'two', dataDir })
    const cookie = await one.cookies()
    t.is((await ask(port, '/', { cookie })).body, '{}')
    t.not((await ask(port, '/set?user=eve', { cookie })).setCookies[0]!.split(';')[0], cookie)
    t.is(await one.body(), '{"user":"ann"}')
  })
}

for (const mode of MODES) {
  test(`S109: through three secrets a session goes on, is sealed anew by the next save, and ends with its secret: ${mode.name}`, async (t) => {
    const dataDir = directory(t)
    const store = mode.isStored ? openStore(t, mode, undefined, dataDir) : undefined
    const isEncrypted = mode.name === 'cookie, encrypted'
    const serving = (keys: readonly string[]) => serveIn(
      t, mode, acts, { ...(store && { type: store }), ...(isEncrypted ? { encryptKey: keys } : { secret: keys }) }
    )
    const [a, b, c] = isEncrypted ? SECRETS.map((secret) => [...secret].toReversed().join('')) : SECRETS
    const visit = async (keys: readonly string[], path: string, visitor: Visitor): Promise<Reply> => {
      const other = new Visitor((await serving(keys)).port, visitor.jar)
      return other.ask(path)
    }
    const visitor = new Visitor((await serving([a!])).port)
    await visitor.ask('/set?user=ann')
    const first = visitor.copy()
    const reading = await visit([b!, a!], '/', visitor)
    t.deepEqual([reading.body, reading.setCookies], ['{"user":"ann"}', []])
    const saving = await visit([b!, a!], '/set?n=1', visitor)
    t.is(saving.setCookies.length, 1)
    t.is((await visit([c!, b!], '/', visitor)).body, '{"user":"ann","n":"1"}')
    t.is((await visit([c!, b!], '/', first)).body, '{}')
    t.is((await visit([c!], '/', visitor)).body, '{}')
    t.is((await visit([c!, b!], '/set?n=2', visitor)).body, '{"user":"ann","n":"2"}')
    t.is((await visit([c!], '/', visitor)).body, '{"user":"ann","n":"2"}')
  })
}

/** What a client may see of an answer: all but the time. */
const shownOf = ({ status, headers, body }: Reply): unknown => [status, body, { ...headers, date: undefined }]

for (const mode of MODES) {
  test(`S111: whatever is wrong with a cookie, the answer is the one that a stranger gets: ${mode.name}`, async (t) => {
    const clock = new Clock()
    const { port } = await serveIn(t, mode, acts, { now: clock.now, timeout: 3600 })
    const fresh = async (settings?: SettingsInput): Promise<string> => {
      const visitor = new Visitor(
        settings === undefined ? port : (await serveIn(t, mode, acts, { now: clock.now, ...settings })).port
      )
      await visitor.ask('/set?user=ann')
      return visitor.cookies()
    }
    const expired = await fresh()
    clock.advance(3_600_000)
    const ended = new Visitor(port)
    await ended.ask('/set?user=ann')
    const copy = ended.copy()
    await ended.ask('/logout')
    const valid = await fresh()
    const wrongKey = { secret: SECRETS[1]!, ...(mode.name === 'cookie, encrypted' && { encryptKey: SECRETS[2]! }) }
    const causes: Record<string, string> = {
      empty: 'phial=', malformed: 'phial=x', expired,
      'wrong key': await fresh(wrongKey), flipped: `${valid.slice(0, -1)}${valid.endsWith('A') ? 'B' : 'A'}`,
      'flipped at its start': valid.replace(/=./, valid[6] === 'A' ? '=B' : '=A'),
      cut: valid.slice(0, -9), 'of two users': `${valid}; ${await fresh()}`, 'too many': Array(9).fill(valid).join('; '),
      'signed by itself': cookieFor(newId()), 'a stored key': `phial=${keyOf(newId())}`, 'long': `phial=${'A'.repeat(4000)}`,
      ...(mode.isStored && { ended: await copy.cookies() }),
    }
    const stranger = shownOf(await ask(port))
    for (const [cause, cookie] of Object.entries(causes)) t.deepEqual(shownOf(await ask(port, '/', { cookie })), stranger, cause)
    t.is((await ask(port, '/', { cookie: valid })).body, '{"user":"ann"}')
  })
}

const root = fileURLToPath(new URL('../../..', import.meta.url))

const sources = ['src', 'backends', 'config'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => [join(folder, name), readFileSync(join(root, folder, name), 'utf8')] as const))

/** Where the pattern occurs, as `file: what was found`. */
const found = (pattern: RegExp): string[] =>
  sources.flatMap(([file, text]) => Array.from(text.matchAll(pattern), ([match]) => `${file}: ${match}`)).sort()

test('S104: the sources name one cipher, in one file, and no hash but SHA-256', (t) => {
  t.true(sources.length > 80)
  t.deepEqual(found(/create(?:De)?[Cc]ipher\w*\([A-Z\w'-]+/g), [
    'src/record/encrypting-sealer.ts: createCipheriv(ALGORITHM', 'src/record/encrypting-sealer.ts: createDecipheriv(ALGORITHM',
  ])
  t.deepEqual(
    found(/\baes-[\w-]+|chacha[\w-]+|\b(?:ecb|cbc|ctr)\b/gi).filter((place) => !/AES-256-GCM$/.test(place)),
    ['src/record/encrypting-sealer.ts: aes-256-gcm']
  )
  const named = "backends/redis/scripts.ts: createHash('sha1'" // the name by which redis knows a script; it protects nothing
  t.deepEqual(found(/\b(?:md5|sha-?1|sha512|ripemd\w*)\b/gi), ['backends/redis/scripts.ts: sha1'])
  const hashes = found(/(?:createHash|createHmac|hash|hkdfSync)\('\w+'/g)
  t.true(hashes.includes(named))
  for (const place of hashes.filter((place) => place !== named)) t.regex(place, /\('sha256'$/)
})

test('S107: no key is made of a passphrase: what makes keys is HKDF, in one file', (t) => {
  t.deepEqual(found(/\b(?:hkdf|scrypt|pbkdf2|EVP_BytesToKey)\w*\(/g), ['src/record/keys.ts: hkdfSync('])
})

test('S110: signatures and the tokens of forms are compared by timingSafeEqual, in constant time, and tags by the cipher', (t) => {
  t.deepEqual(found(/\bunsign\(/g), [])
  t.deepEqual(found(/createHmac\(|timingSafeEqual\(|\.getAuthTag\(\) *[!=]==/g).sort(), [
    'src/record/keys.ts: timingSafeEqual(', 'src/session/csrf.ts: createHmac(', 'src/session/csrf.ts: timingSafeEqual(',
  ])
})
