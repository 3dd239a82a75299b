import test from 'ava'
import fc from 'fast-check'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { weaknessOf } from '../../config/secret-strength.js'
import { weakSecrets } from '../../config/weak-secrets.js'
import { directory, faultOf, iniFile, inSection, resolveIni, resolvePlain, secret, strong, withEnvironment } from './support.js'

const refusedAsSecret = (value: unknown): string => {
  try {
    resolvePlain({ secret: value })
    return 'taken'
  } catch (error) {
    return `${(error as { code?: string }).code} ${(error as { setting?: string }).setting}`
  }
}

const padded = (word: string): string[] => [
  word,
  word.toUpperCase(),
  word.repeat(Math.ceil(32 / word.length)),
  `${word}-`.repeat(Math.ceil(33 / word.length)),
  word.padEnd(40, '!'),
  word.padEnd(40, '0123456789'),
  word.padStart(40, 'abcdefghijklmnopqrstuvwxyz'),
  [...word].join('_').padEnd(40, '.'),
  `${word} ${word}! My_${word.toUpperCase()}?? 1234567890 ${word}`,
]
for (const word of weakSecrets) {
  test(`S108: ${word} is refused, padded and repeated too`, t => {
    for (const form of padded(word)) t.is(refusedAsSecret(form), 'PHIAL_CONFIG secret', form)
  })
}

test('S108: the table of weak secrets has a hundred entries or more, each once and in plain letters', t => {
  t.true(weakSecrets.length >= 100)
  t.is(new Set(weakSecrets).size, weakSecrets.length)
  t.deepEqual(weakSecrets.filter(word => !/^[a-z0-9]{4,}$/.test(word)), [])
})

const weak: [string, string][] = [
  ['', '0 bytes'],
  ['x', '1 bytes'],
  [strong().slice(0, 31), '31 bytes'],
  ['a'.repeat(64), 'one of 1 different characters'],
  ['0101001100101101010010110010110101001011', 'one of 2 different characters'],
  ['kX9#pQ2!'.repeat(4), 'a repetition'],
  [`${'kX9#pQ2!vB'.repeat(3)}kX9`, 'a repetition'],
  ['abcdefghijklmnopqrstuvwxyz0123456789', 'a run of neighbouring characters'],
  ['zyxwvutsrqponmlkjihgfedcba9876543210', 'a run of neighbouring characters'],
  ['aabbccddeeffgghhiijjkkllmmnnooppqq', 'a run of neighbouring characters'],
  ['my-super-secret-key-change-me-in-production', 'one made of words that are tried first'],
  ['keyboard cat keyboard cat and more keyboard cat', 'one made of words that are tried first'],
  ['this is a very long secret for phial', 'one made of words that are tried first'],
  ['complex_password_at_least_32_characters_long', 'one made of words that are tried first'],
  ['a secret with minimum length of 32 characters', 'one made of words that are tried first'],
  ['averylogphrasebiggerthanthirtytwochars', 'one made of words that are tried first'],
  ['qwertyuiopasdfghjklzxcvbnm1234567890', 'one made of words that are tried first'],
]
for (const [value, reason] of weak) {
  test(`S108: ${JSON.stringify(value).slice(0, 50)} is ${reason}`, t => t.is(weaknessOf(value), reason))
}

test('S108: random secrets are taken, whatever they are written in', t => {
  const forms: ((bytes: Buffer) => string)[] = [
    bytes => bytes.toString('base64url'),
    bytes => bytes.toString('base64'),
    bytes => bytes.toString('hex'),
    bytes => bytes.toString('latin1'),
    bytes => bytes.subarray(0, 16).toString('hex'),
    bytes => `secret-${bytes.toString('base64url')}`,
    bytes => `${bytes.toString('base64url')}=changeme`,
    bytes => bytes.toString('base64url').slice(0, 32),
  ]
  for (let round = 0; round < 2000; round++) {
    const bytes = randomBytes(32)
    for (const [index, form] of forms.entries()) {
      if (weaknessOf(form(bytes)) !== undefined) t.fail(`form ${index} of ${bytes.toString('hex')}: ${weaknessOf(form(bytes))}`)
    }
  }
  t.is(weaknessOf('pâté ☃ 雪人 größte Übermut 17 Öfen'), undefined)
})

test('S108: an empty or missing secret is told at start, with how to make one', t => {
  const advice = 'make one with: node -p "crypto.randomBytes(32).toString(\'base64url\')"'
  const path = iniFile(t, inSection('session.secret ='))
  t.is(faultOf(t, () => resolveIni(path)).message, `${path}:2: session.secret: expected a secret; got none: ${advice}`)
  const bare = iniFile(t, inSection())
  const fault = faultOf(t, () => resolveIni(bare))
  t.deepEqual([fault.setting, fault.file, fault.line], ['session.secret', bare, undefined])
  t.is(fault.message, `${bare}: session.secret: required, and neither it nor a file with it is given; ${advice}`)
  t.is(faultOf(t, () => resolvePlain({ secret: undefined })).setting, 'secret')
  t.is(faultOf(t, () => resolvePlain({ secret: '' })).message, `secret: expected 32 random bytes or more; got 0 bytes: ${advice}`)
})

test('what is not a secret or a list of them is refused', t => {
  for (const value of [null, 5, true, {}, Buffer.alloc(64), new Uint8Array(64), [secret, 5], [[secret]], [secret, ''],
    [secret, secret], ['short', secret]]) {
    t.is(refusedAsSecret(value), 'PHIAL_CONFIG secret')
  }
  t.is(refusedAsSecret([]), 'PHIAL_CONFIG secret')
  t.is(refusedAsSecret(Array.from({ length: 9 }, strong)), 'PHIAL_CONFIG secret')
  t.is(resolvePlain({ secret: Array.from({ length: 8 }, strong) }).secret.length, 8)
  t.is(refusedAsSecret(randomBytes(2049).toString('hex')), 'PHIAL_CONFIG secret')
})

test('in TypeScript one text is one secret, blanks and all', t => {
  const value = `${strong()} ${strong()}`
  t.deepEqual([...resolvePlain({ secret: value }).secret], [value])
})

test('the encryption key is held to the same, and is none of the secrets', t => {
  const key = strong()
  t.deepEqual([...resolvePlain({ encryptKey: key }).encryptKey], [key])
  t.deepEqual([...resolvePlain({ encryptKey: [key, `${key}2`] }).encryptKey], [key, `${key}2`])
  for (const encryptKey of ['', 'changeme', 'x'.repeat(64), 5, [], [key, key], secret, [key, secret]]) {
    t.is(faultOf(t, () => resolvePlain({ encryptKey })).setting, 'encryptKey')
  }
})

test("validate_key is the cookie type's secret, and nobody else's", t => {
  const key = strong()
  const lines = (...more: string[]): string => iniFile(t, inSection(`session.validate_key = ${key}`, ...more))
  t.deepEqual([...resolveIni(lines('session.type = cookie')).secret], [key])
  t.deepEqual([...resolvePlain({ secret: undefined, validateKey: [key], type: 'cookie' }).secret], [key])
  const path = lines()
  t.is(faultOf(t, () => resolveIni(path)).message, `${path}:2: session.validate_key: only where session.type is cookie; write session.secret`)
  t.is(faultOf(t, () => resolveIni(lines('session.type = cookie', 'session.secret_file = x'))).setting, 'session.validate_key')
  t.is(faultOf(t, () => resolvePlain({ validateKey: 'short', type: 'cookie' })).setting, 'validateKey')
})

test('S203: a secret may come from the environment', t => {
  const [a, b] = [strong(), strong()]
  const path = iniFile(t, inSection('session.secret = ${PHIAL_TEST_SECRET}'))
  withEnvironment({ PHIAL_TEST_SECRET: `${a} ${b}` }, () => t.deepEqual([...resolveIni(path).secret], [a, b]))
  withEnvironment({ PHIAL_TEST_SECRET: undefined }, () => {
    t.is(faultOf(t, () => resolveIni(path)).message, `${path}:2: session.secret: the environment variable PHIAL_TEST_SECRET is not set`)
  })
  withEnvironment({ PHIAL_TEST_SECRET: 'canary' }, () => t.notRegex(faultOf(t, () => resolveIni(path)).message, /canary/))
})

const posix = process.platform === 'win32' ? test.skip : test

posix('S203: a secret file that others may read or write is refused', t => {
  const file = join(directory(t), 'secret')
  writeFileSync(file, strong())
  for (const mode of [0o644, 0o640, 0o604, 0o660, 0o622, 0o602, 0o620, 0o666, 0o777, 0o444]) {
    chmodSync(file, mode)
    const fault = faultOf(t, () => resolvePlain({ secret: undefined, secretFile: file }))
    t.is(fault.message, `secretFile: ${file} can be read or written by others than its owner (mode 0${mode.toString(8)}): chmod 600 ${file}`)
  }
  for (const mode of [0o600, 0o400, 0o700]) {
    chmodSync(file, mode)
    t.is(resolvePlain({ secret: undefined, secretFile: file }).secret.length, 1, mode.toString(8))
    t.is(statSync(file).mode & 0o777, mode)
  }
})

test('S203: the faults of a secret file are told with its line, or with the line that names it', t => {
  const path = iniFile(t, inSection('session.secret_file = secret'))
  const file = path.replace('app.ini', 'secret')
  const fault = (): string => faultOf(t, () => resolveIni(path)).message
  t.true(fault().startsWith(`${path}:2: session.secret_file: there is no file ${file}: \`npx phial init\``))
  t.true(fault().endsWith(` > ${file}, and then: chmod 600 ${file}`))
  writeFileSync(file, `${strong()}\n\nshort\n`, { mode: 0o600 })
  t.true(fault().startsWith(`${file}:3: session.secret_file: expected 32 random bytes or more; got 5 bytes`))
  writeFileSync(file, `${secret}\n${secret}\n`)
  t.is(fault(), `${file}: session.secret_file: expected secrets that differ; got one of them twice`)
  writeFileSync(file, Array.from({ length: 9 }, strong).join('\n'))
  t.is(fault(), `${file}: session.secret_file: expected 8 secrets at most; got 9`)
  writeFileSync(file, '\n \n')
  t.regex(fault(), /expected a secret; got none/)
  writeFileSync(file, Buffer.from([0xff, 0xfe]))
  t.is(fault(), `${path}:2: session.secret_file: ${file} is not UTF-8 text`)
  mkdirSync(`${file}s`)
  writeFileSync(path, inSection('session.secret_file = secrets'))
  t.is(fault(), `${path}:2: session.secret_file: ${file}s is not a file`)
})

test('a line of a secret file is one secret, blanks and all', t => {
  const file = join(directory(t), 'secret')
  const [a, b] = [`${strong()} ${strong()}`, `#${strong()}`]
  writeFileSync(file, `${a}\n${b}\n`, { mode: 0o600 })
  t.deepEqual([...resolvePlain({ secret: undefined, secretFile: file }).secret], [a, b])
})

test('S014: no error shows any of a secret', t => {
  fc.assert(fc.property(fc.string({ minLength: 8, maxLength: 31, unit: fc.constantFrom(...'0123456789') }), value => {
    for (const given of [value, [value], [secret, value], { value }]) {
      for (const name of ['secret', 'encryptKey', 'validateKey']) {
        const { message } = faultOf(t, () => resolvePlain({ [name]: given }))
        if (message.includes(value)) return false
      }
    }
    return true
  }), { numRuns: 200 })
})
