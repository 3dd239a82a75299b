import { TooLargeError } from '../../../src/errors.js'
import type { EveryAbility } from '../memory-fixture.js'
import type { Mutant } from './mutant.js'

/** Values as a careless store keeps them. */
const mangling = (fault: string, caughtBy: string, mangle: (value: string) => string): Mutant => ({
  fault: `value: ${fault}`,
  caughtBy: `value: ${caughtBy}`,
  server: (real) => ({
    create: (key, value, expiresAt) => real.create(key, mangle(value), expiresAt),
    replace: (key, value, version, expiresAt) => real.replace(key, mangle(value), version, expiresAt),
  }),
})

/** Throws as a value's limit is passed, after doing what a careless store does. */
const tooLarge = (real: EveryAbility, value: string): void => {
  const size = Buffer.byteLength(value)
  if (size > real.supports.maxValueBytes) throw new TooLargeError('too large', size, real.supports.maxValueBytes)
}

export const valueMutants: readonly Mutant[] = [
  mangling('the empty one is nothing', 'the empty string', (value) => value || 'nothing'),
  mangling('a character alone is doubled', 'one character', (value) => (value.length === 1 ? value + value : value)),
  mangling('digits are a number', 'one digit', (value) => (/^\d$/u.test(value) ? `${value}.0` : value)),
  mangling('ends at a NUL', 'a NUL comes back', (value) => value.split('\0')[0] ?? ''),
  mangling('a NUL alone is empty', 'a NUL alone', (value) => (value === '\0' ? '' : value)),
  mangling('line ends are made one kind', 'line ends of all kinds', (value) => value.replaceAll(/\r\n?/gu, '\n')),
  mangling('is trimmed', 'blanks at both ends', (value) => value.trim()),
  mangling('loses a byte order mark', 'a byte order mark', (value) => new TextDecoder().decode(new TextEncoder().encode(value))),
  mangling('loses control characters', 'control characters', (value) => value.replaceAll(/(?![\0\n\r\t])\p{Cc}/gu, '')),
  mangling('is normalised', 'accents, composed and apart', (value) => value.normalize('NFC')),
  mangling('is kept as Latin-1', 'text of two and three bytes a character', (value) => Buffer.from(value, 'latin1').toString('latin1')),
  mangling('loses what is beyond the first plane', 'emoji', (value) => value.replaceAll(/[\u{10000}-\u{10FFFF}]/gu, '?')),
  mangling('loses what is no character', 'the last code points', (value) => value.replaceAll(/[\uFFFE\uFFFF]/gu, '\uFFFD')),
  mangling('is put into a pattern', 'what looks like escapes', (value) => 'x'.replace('x', value)),
  mangling('an object in it is read', 'what looks like a record', (value) => value.replace(/^\{"value":"(\w+)".*\}$/u, '$1')),
  mangling('is cut to its limit', 'over maxValueBytes, create rejects', (value) => value.slice(0, 1024 * 1024)),
  {
    fault: 'value: the limit itself is over it',
    caughtBy: 'value: of maxValueBytes is taken',
    server: (real) => ({
      create: async (key, value, expiresAt) => {
        tooLarge(real, `${value}+`)
        return real.create(key, value, expiresAt)
      },
    }),
  },
  {
    fault: 'value: is measured by three bytes a character',
    caughtBy: 'value: of maxValueBytes in characters of three bytes',
    server: (real) => ({
      create: async (key, value, expiresAt) => {
        if (value.includes('\u20AC')) tooLarge(real, 'x'.repeat(value.length * 3 + 1))
        return real.create(key, value, expiresAt)
      },
    }),
  },
  {
    fault: 'value: is measured in characters',
    caughtBy: 'value: is measured in bytes',
    server: (real) => ({ create: (key, value, expiresAt) => real.create(key, value.replaceAll('\u20AC', 'e'), expiresAt) }),
  },
  {
    fault: 'value: one that is too large removes the record first, as in memcached',
    caughtBy: 'value: over maxValueBytes, replace rejects',
    server: (real) => ({
      replace: async (key, value, version, expiresAt) => {
        if (Buffer.byteLength(value) > real.supports.maxValueBytes) await real.delete(key, version)
        return real.replace(key, value, version, expiresAt)
      },
    }),
  },
  {
    fault: 'value: one that is too large removes the record, even of another version',
    caughtBy: 'value: over maxValueBytes, a stale replace',
    server: (real) => ({
      replace: async (key, value, version, expiresAt) => {
        if (Buffer.byteLength(value) > real.supports.maxValueBytes) await real.delete(key)
        return real.replace(key, value, version, expiresAt)
      },
    }),
  },
]
