import { NEVER } from './careless.js'
import type { Mutant } from './mutant.js'

const DAY = 86_400_000

/** What becomes of a life, in milliseconds. */
const lasting = (fault: string, caughtBy: string, change: (life: number) => number): Mutant => ({
  fault: `expiry: ${fault}`,
  caughtBy: `expiry: ${caughtBy}`,
  server: (real, { now }) => {
    const moved = (expiresAt: number): number => now() + change(expiresAt - now())
    return {
      create: (key, value, expiresAt) => real.create(key, value, moved(expiresAt)),
      replace: (key, value, version, expiresAt) => real.replace(key, value, version, moved(expiresAt)),
      touch: (key, expiresAt) => real.touch(key, moved(expiresAt)),
    }
  },
})

export const expiryMutants: readonly Mutant[] = [
  lasting('is ignored', 'a record is missing after the time that replace gave it', () => NEVER),
  lasting('in the past never ends, as 0 does in memcached', 'in the past, touch answers as ever', (life) => (life <= 0 ? NEVER : life)),
  lasting('over 30 days is read as a date, as in memcached', '30 days and a second away by create', (life) => (life > 30 * DAY ? 0 : life)),
  lasting('of 30 days is too much', '30 days away by touch', (life) => (life >= 30 * DAY ? 0 : life)),
  lasting('goes through a timer', '29 days away by replace', (life) => (life > 2 ** 31 - 1 ? 1 : life)),
  lasting('goes into 32 bits of microseconds', '1 day away by touch', (life) => (life * 1_000 >= 2 ** 32 ? 0 : life)),
  lasting('of 400 days is cut to a year', '400 days away by create, the record lives to its last', (life) => Math.min(life, 365 * DAY)),
  lasting('over a year is refused', '400 days away by touch, the record is there', (life) => (life > 365 * DAY ? 0 : life)),
  lasting('over a month is refused', '31 days away by replace', (life) => (life > 30.5 * DAY ? 0 : life)),
  {
    fault: 'expiry: in the past, create refuses',
    caughtBy: 'expiry: in the past, create answers as ever',
    server: (real, { now }) => ({
      create: async (key, value, expiresAt) => (expiresAt <= now() ? undefined : real.create(key, value, expiresAt)),
    }),
  },
  {
    fault: 'expiry: in the past, replace refuses',
    caughtBy: 'expiry: in the past, replace answers as ever',
    server: (real, { now }) => ({
      replace: async (key, value, version, expiresAt) =>
        expiresAt <= now() ? undefined : real.replace(key, value, version, expiresAt),
    }),
  },
]
