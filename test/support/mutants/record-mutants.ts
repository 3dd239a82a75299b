import { TooLargeError } from '../../../src/errors.js'
import type { EveryAbility } from '../memory-fixture.js'
import { deleting, type Mutant } from './mutant.js'

const DAY = 86_400_000
const NEVER = 1e15

/** What was last written under each key, whatever became of it. */
const remembering = (real: EveryAbility): { written: Map<string, string>; create: EveryAbility['create']; replace: EveryAbility['replace'] } => {
  const written = new Map<string, string>()
  const note = (key: string, value: string, version: string | undefined): string | undefined => {
    if (version !== undefined) written.set(key, value)
    return version
  }
  return {
    written,
    create: async (key, value, expiresAt) => note(key, value, await real.create(key, value, expiresAt)),
    replace: async (key, value, version, expiresAt) => note(key, value, await real.replace(key, value, version, expiresAt)),
  }
}

/** Writes over whatever is there. */
const put = async (real: EveryAbility, key: string, value: string, expiresAt: number): Promise<string | undefined> => {
  await real.delete(key)
  return real.create(key, value, expiresAt)
}

/** Others get their turn, as they do while a server is asked. */
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

const readingMutants: readonly Mutant[] = [
  {
    fault: 'get: makes what is missing',
    caughtBy: 'get: a record that was never made is missing',
    server: (real) => ({ get: async (key, touch) => (await real.get(key, touch)) ?? { value: '', version: '' } }),
  },
  {
    fault: 'get: gives what was read before',
    caughtBy: 'get: the live record, with the value and the version of the last write',
    server: (real) => {
      const cache = new Map<string, Awaited<ReturnType<EveryAbility['get']>>>()
      return {
        get: async (key, touch) => {
          const record = cache.get(key) ?? (await real.get(key, touch))
          cache.set(key, record)
          return record
        },
      }
    },
  },
  {
    fault: 'get: gives a new version each time',
    caughtBy: 'get: reading changes neither',
    server: (real, { now }) => ({
      get: async (key, touch) => {
        const { value, version, expiresAt = now() } = (await real.get(key, touch)) ?? {}
        if (value === undefined || version === undefined) return undefined
        return { value, version: (await real.replace(key, value, version, expiresAt)) ?? version, expiresAt }
      },
    }),
  },
  {
    fault: 'get: moves the expiry unasked',
    caughtBy: 'get: without a touch the expiry stays',
    server: (real) => ({ get: (key, touch) => real.get(key, touch ?? { expiresAt: NEVER, ifBefore: NEVER }) }),
  },
  {
    fault: 'get: tells an expiry in seconds',
    caughtBy: 'get: the expiry, where it is told',
    server: (real) => ({
      get: async (key, touch) => {
        const record = await real.get(key, touch)
        return record && { ...record, expiresAt: Math.floor((record.expiresAt ?? 0) / 1_000) }
      },
    }),
  },
  {
    fault: 'get: hands out the object that it keeps',
    caughtBy: 'get: the answer is the caller\'s own',
    server: (real) => {
      const handedOut = new Map<string, Awaited<ReturnType<EveryAbility['get']>>>()
      return {
        get: async (key, touch) => {
          const record = await real.get(key, touch)
          if (record === undefined || handedOut.has(record.version)) return record && handedOut.get(record.version)
          handedOut.set(record.version, record)
          return record
        },
      }
    },
  },
  {
    fault: 'get with a touch: is not applied',
    caughtBy: 'get with a touch: the next request sees the record touched',
    server: (real) => ({ get: (key) => real.get(key) }),
  },
  {
    fault: 'get with a touch: is not applied, but said to be',
    caughtBy: 'get with a touch: one that is due moves the expiry',
    server: (real) => ({
      get: async (key, touch) => {
        const record = await real.get(key)
        return record && { ...record, touched: touch !== undefined }
      },
    }),
  },
  {
    fault: 'get with a touch: is applied when it is not due',
    caughtBy: 'get with a touch: one that is not due leaves the expiry',
    server: (real) => ({ get: (key, touch) => real.get(key, touch && { ...touch, ifBefore: NEVER }) }),
  },
  {
    fault: 'get with a touch: due at ifBefore',
    caughtBy: 'get with a touch: due while the expiry is before ifBefore',
    server: (real) => ({ get: (key, touch) => real.get(key, touch && { ...touch, ifBefore: touch.ifBefore + 1 }) }),
  },
  {
    fault: 'get with a touch: the expiry told is the one after it',
    caughtBy: 'get with a touch: the expiry, where it is told, is the one before the touch',
    server: (real) => ({
      get: async (key, touch) => {
        const record = await real.get(key, touch)
        return record?.touched && touch ? { ...record, expiresAt: touch.expiresAt } : record
      },
    }),
  },
  {
    fault: 'get with a touch: rewrites the record',
    caughtBy: 'get with a touch: leaves the value and the version as they were',
    server: (real) => ({
      get: async (key, touch) => {
        const record = await real.get(key, touch)
        if (record?.touched && touch) await real.replace(key, record.value, record.version, touch.expiresAt)
        return record
      },
    }),
  },
  {
    fault: 'get with a touch: creates',
    caughtBy: 'get with a touch: never creates',
    server: (real) => ({
      get: async (key, touch) => {
        const record = await real.get(key, touch)
        if (record === undefined && touch) await real.create(key, '', touch.expiresAt)
        return record
      },
    }),
  },
  {
    fault: 'get with a touch: revives',
    caughtBy: 'get with a touch: does not revive an expired record',
    server: (real) => {
      const { written, ...writes } = remembering(real)
      return {
        ...writes,
        get: async (key, touch) => {
          const record = await real.get(key, touch)
          const before = written.get(key)
          if (record === undefined && touch && before !== undefined) await real.create(key, before, touch.expiresAt)
          return record
        },
      }
    },
  },
]

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

const expiryMutants: readonly Mutant[] = [
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
    server: (real, { now }) => ({ create: async (key, value, expiresAt) => (expiresAt <= now() ? undefined : real.create(key, value, expiresAt)) }),
  },
  {
    fault: 'expiry: in the past, replace refuses',
    caughtBy: 'expiry: in the past, replace answers as ever',
    server: (real, { now }) => ({
      replace: async (key, value, version, expiresAt) => (expiresAt <= now() ? undefined : real.replace(key, value, version, expiresAt)),
    }),
  },
]

const creatingMutants: readonly Mutant[] = [
  { fault: 'create: stores nothing', caughtBy: 'create: the version of the new record', server: () => ({ create: async () => 'a version' }) },
  {
    fault: 'create: writes over a live record',
    caughtBy: 'create: undefined, changing nothing, when a live record is there',
    server: (real) => ({ create: (key, value, expiresAt) => put(real, key, value, expiresAt) }),
  },
  {
    fault: 'create: refused, it moves the expiry',
    caughtBy: 'create: undefined, changing nothing, when a live record is there',
    server: (real) => ({
      create: async (key, value, expiresAt) => {
        const version = await real.create(key, value, expiresAt)
        if (version === undefined) await real.touch(key, expiresAt)
        return version
      },
    }),
  },
  {
    fault: 'create: sees only the records of its own manager',
    caughtBy: 'create: the next request finds the live record there, too',
    connection: (real) => {
      const mine = new Set<string>()
      return {
        create: async (key, value, expiresAt) => {
          if (!mine.has(key)) await real.delete(key)
          mine.add(key)
          return real.create(key, value, expiresAt)
        },
      }
    },
  },
  {
    fault: 'create: an expired record is in its way',
    caughtBy: 'create: an expired record is no record',
    server: (real) => {
      const there = new Set<string>()
      return {
        create: async (key, value, expiresAt) => {
          if (there.has(key)) return undefined
          there.add(key)
          return real.create(key, value, expiresAt)
        },
        delete: deleting((key, version) => {
          there.delete(key)
          return version === undefined ? real.delete(key) : real.delete(key, version)
        }),
      }
    },
  },
  {
    fault: 'create: a deleted record is in its way for ever',
    caughtBy: 'create: a deleted record is no record',
    server: (real) => {
      const deleted = new Set<string>()
      return {
        create: async (key, value, expiresAt) => (deleted.has(key) ? undefined : real.create(key, value, expiresAt)),
        delete: deleting((key, version) => {
          deleted.add(key)
          return version === undefined ? real.delete(key) : real.delete(key, version)
        }),
      }
    },
  },
  {
    fault: 'create: free 1 ms before the end',
    caughtBy: 'create: refused 1 ms before the end',
    server: (real, { now }) => ({
      create: async (key, value, expiresAt) => {
        if (((await real.get(key))?.expiresAt ?? 0) <= now() + 1) await real.delete(key)
        return real.create(key, value, expiresAt)
      },
    }),
  },
  {
    fault: 'create: looks, then writes',
    caughtBy: 'create: of several at once one wins',
    server: (real) => ({
      create: async (key, value, expiresAt) => {
        if ((await real.get(key)) !== undefined) return undefined
        await turn()
        return put(real, key, value, expiresAt)
      },
    }),
  },
  {
    fault: 'create: looks for expired records, then writes over them',
    caughtBy: 'create: of several at once on an expired record',
    server: (real) => {
      const known = new Set<string>()
      return {
        create: async (key, value, expiresAt) => {
          const isOver = known.has(key) && (await real.get(key)) === undefined
          known.add(key)
          if (!isOver) return real.create(key, value, expiresAt)
          await turn()
          return put(real, key, value, expiresAt)
        },
      }
    },
  },
]

const replacingMutants: readonly Mutant[] = [
  {
    fault: 'replace: stores nothing',
    caughtBy: 'replace: with the version that is there',
    server: () => ({ replace: async () => 'a version' }),
  },
  {
    fault: 'replace: does not look at the version',
    caughtBy: 'replace: with an older version',
    server: (real) => ({
      replace: async (key, value, _version, expiresAt) => {
        const record = await real.get(key)
        return record && real.replace(key, value, record.version, expiresAt)
      },
    }),
  },
  {
    fault: 'replace: refused, it moves the expiry',
    caughtBy: 'replace: with an older version',
    server: (real) => ({
      replace: async (key, value, version, expiresAt) => {
        const next = await real.replace(key, value, version, expiresAt)
        if (next === undefined) await real.touch(key, expiresAt)
        return next
      },
    }),
  },
  {
    fault: 'replace: takes a part of the version, and blanks round it',
    caughtBy: 'replace: with a version that never was',
    server: (real) => ({
      replace: async (key, value, version, expiresAt) => {
        const record = await real.get(key)
        return real.replace(key, value, record?.version.startsWith(version.trim()) ? record.version : version, expiresAt)
      },
    }),
  },
  {
    fault: 'replace: makes what is not there',
    caughtBy: 'replace: of what is not there',
    server: (real) => ({
      replace: async (key, value, version, expiresAt) =>
        (await real.get(key)) === undefined ? real.create(key, value, expiresAt) : real.replace(key, value, version, expiresAt),
    }),
  },
  {
    fault: 'replace: revives',
    caughtBy: 'replace: of an expired record',
    server: (real) => {
      const { written, create } = remembering(real)
      return {
        create,
        replace: async (key, value, version, expiresAt) => {
          const isGone = written.has(key) && (await real.get(key)) === undefined
          return isGone ? real.create(key, value, expiresAt) : real.replace(key, value, version, expiresAt)
        },
      }
    },
  },
  {
    fault: 'replace: takes an expired record at its end',
    caughtBy: 'replace: taken 1 ms before the end',
    server: (real, { now }) => {
      const ends = new Map<string, number>()
      return {
        replace: async (key, value, version, expiresAt) => {
          if (ends.get(key) === now()) return put(real, key, value, expiresAt)
          ends.set(key, expiresAt)
          return real.replace(key, value, version, expiresAt)
        },
      }
    },
  },
  {
    fault: 'replace: keeps the expiry',
    caughtBy: 'replace: moves the expiry to a later time',
    server: (real) => ({
      replace: async (key, value, version, expiresAt) => real.replace(key, value, version, (await real.get(key))?.expiresAt ?? expiresAt),
    }),
  },
  {
    fault: 'replace: only lengthens the life',
    caughtBy: 'replace: moves the expiry to an earlier time',
    server: (real) => ({
      replace: async (key, value, version, expiresAt) =>
        real.replace(key, value, version, Math.max(expiresAt, (await real.get(key))?.expiresAt ?? 0)),
    }),
  },
  {
    fault: 'replace: by the same value writes nothing',
    caughtBy: 'replace: by the same value',
    server: (real) => ({
      replace: async (key, value, version, expiresAt) => {
        const record = await real.get(key)
        const isSame = record?.value === value && record.version === version
        return isSame ? version : real.replace(key, value, version, expiresAt)
      },
    }),
  },
  {
    fault: 'replace: leaves the tail of a longer value',
    caughtBy: 'replace: a shorter value leaves nothing',
    server: (real) => ({
      replace: async (key, value, version, expiresAt) => {
        const tail = (await real.get(key))?.value.slice(value.length) ?? ''
        return real.replace(key, value + tail, version, expiresAt)
      },
    }),
  },
  {
    fault: 'replace: looks, then writes',
    caughtBy: 'replace: of several at once with one version one wins',
    server: (real) => ({
      replace: async (key, value, version, expiresAt) => {
        if ((await real.get(key))?.version !== version) return undefined
        await turn()
        return put(real, key, value, expiresAt)
      },
    }),
  },
  {
    fault: 'replace: the manager asks its own memory for the version',
    caughtBy: 'replace: a version that another manager made out of date',
    connection: (real) => {
      const known = new Map<string, string>()
      return {
        create: async (key, value, expiresAt) => {
          const version = await real.create(key, value, expiresAt)
          if (version !== undefined) known.set(key, version)
          return version
        },
        replace: async (key, value, version, expiresAt) => {
          const isKnown = known.get(key) === version
          const next = await real.replace(key, value, isKnown ? ((await real.get(key))?.version ?? version) : version, expiresAt)
          if (next !== undefined) known.set(key, next)
          return next
        },
      }
    },
  },
]

/** Versions that are made anew of something: what the real one is told as, and back. */
const versioned = (fault: string, caughtBy: string, tell: (key: string, value: string, count: number) => string): Mutant => ({
  fault: `version: ${fault}`,
  caughtBy: `version: ${caughtBy}`,
  server: (real) => {
    const counts = new Map<string, number>()
    const told = new Map<string, { real: string; told: string }>()
    const note = (key: string, value: string, version: string | undefined): string | undefined => {
      if (version === undefined) return undefined
      counts.set(key, (counts.get(key) ?? 0) + 1)
      told.set(key, { real: version, told: tell(key, value, counts.get(key) ?? 0) })
      return told.get(key)?.told
    }
    const toReal = (key: string, version: string): string => (told.get(key)?.told === version ? (told.get(key)?.real ?? '') : `not ${version}`)
    return {
      get: async (key, touch) => {
        const record = await real.get(key, touch)
        return record && { ...record, version: told.get(key)?.told ?? '' }
      },
      create: async (key, value, expiresAt) => {
        const version = await real.create(key, value, expiresAt)
        if (version !== undefined) counts.delete(key)
        return note(key, value, version)
      },
      replace: async (key, value, version, expiresAt) => note(key, value, await real.replace(key, value, toReal(key, version), expiresAt)),
      delete: deleting((key, version) => (version === undefined ? real.delete(key) : real.delete(key, toReal(key, version)))),
    }
  },
})

const versionMutants: readonly Mutant[] = [
  versioned('counts from 1 again after a delete', 'a record that is deleted and made again', (key, _value, count) => `${key} ${count}`),
  versioned('counts from 1 again after the end', 'a record that expired and was made again', (key, _value, count) => `${key} ${count}`),
  versioned('is a hash of the value', 'no two writes share one', (key, value) => `${key} ${value}`),
  versioned('counts for each key', 'no two writes share one, of different keys either', (_key, _value, count) => `${count}`),
]

const touchingMutants: readonly Mutant[] = [
  {
    fault: 'touch: creates',
    caughtBy: 'touch: false when there is no record, and never creates',
    server: (real) => ({ touch: async (key, expiresAt) => (await real.touch(key, expiresAt)) || (await real.create(key, '', expiresAt)) !== undefined }),
  },
  { fault: 'touch: always says true', caughtBy: 'touch: false when there is no record', server: (real) => ({ touch: async (key, at) => (await real.touch(key, at)) || true }) },
  { fault: 'touch: moves nothing', caughtBy: 'touch: true, and the expiry moves to a later time', server: (real) => ({ touch: async (key) => (await real.get(key)) !== undefined }) },
  { fault: 'touch: says false', caughtBy: 'touch: of a record that an earlier request made', server: (real) => ({ touch: async (key, at) => (await real.touch(key, at)) && false }) },
  {
    fault: 'touch: only lengthens the life',
    caughtBy: 'touch: true, and the expiry moves to an earlier time',
    server: (real) => ({
      touch: async (key, expiresAt) => {
        const record = await real.get(key)
        return record !== undefined && real.touch(key, Math.max(expiresAt, record.expiresAt ?? 0))
      },
    }),
  },
  {
    fault: 'touch: gives a new version',
    caughtBy: 'touch: moves the expiry only',
    server: (real) => ({
      touch: async (key, expiresAt) => {
        const record = await real.get(key)
        return record !== undefined && (await real.replace(key, record.value, record.version, expiresAt)) !== undefined
      },
    }),
  },
  {
    fault: 'touch: revives the expired and the deleted',
    caughtBy: 'touch: false when the record has expired',
    server: (real) => {
      const { written, ...writes } = remembering(real)
      return {
        ...writes,
        touch: async (key, expiresAt) => {
          if (await real.touch(key, expiresAt)) return true
          const before = written.get(key)
          return before !== undefined && (await real.create(key, before, expiresAt)) !== undefined
        },
      }
    },
  },
  {
    fault: 'touch: revives at the end',
    caughtBy: 'touch: true 1 ms before the end',
    server: (real, { now }) => {
      const ends = new Map<string, number>()
      return {
        create: (key, value, expiresAt) => {
          ends.set(key, expiresAt)
          return real.create(key, value, expiresAt)
        },
        touch: async (key, expiresAt) => (await real.touch(key, expiresAt)) || (ends.get(key) === now() && (await put(real, key, '', expiresAt)) !== undefined),
      }
    },
  },
  {
    fault: 'touch: reads, and writes back what it read',
    caughtBy: 'touch: at once with replaces it undoes none of them',
    server: (real) => ({
      touch: async (key, expiresAt) => {
        const record = await real.get(key)
        if (record === undefined) return false
        await turn()
        await put(real, key, record.value, expiresAt)
        return true
      },
    }),
  },
]

const deletingMutants: readonly Mutant[] = [
  { fault: 'delete: does nothing', caughtBy: 'delete: removes the record', server: () => ({ delete: deleting(async () => undefined) }) },
  {
    fault: 'delete: only what was never written again',
    caughtBy: 'delete: without a version, whatever the record holds',
    server: (real) => {
      const made = new Map<string, string>()
      return {
        create: async (key, value, expiresAt) => {
          const version = await real.create(key, value, expiresAt)
          if (version !== undefined) made.set(key, version)
          return version
        },
        delete: deleting((key, version) => real.delete(key, version ?? made.get(key) ?? '')),
      }
    },
  },
  {
    fault: 'delete: only in the manager that made the record',
    caughtBy: 'delete: of a record that an earlier request made',
    connection: (real) => {
      const mine = new Set<string>()
      return {
        create: (key, value, expiresAt) => {
          mine.add(key)
          return real.create(key, value, expiresAt)
        },
        delete: deleting(async (key, version) => {
          if (!mine.has(key)) return version === undefined ? undefined : false
          return version === undefined ? real.delete(key) : real.delete(key, version)
        }),
      }
    },
  },
  {
    fault: 'delete: what is not there is an error',
    caughtBy: 'delete: removing what is not there is not an error',
    server: (real) => ({
      delete: deleting(async (key, version) => {
        if ((await real.get(key)) === undefined) throw new Error('no such record')
        return version === undefined ? real.delete(key) : real.delete(key, version)
      }),
    }),
  },
  {
    fault: 'delete with a version: does not look at it',
    caughtBy: 'delete with a version: false, changing nothing, when the record has another',
    server: (real) => ({
      delete: deleting(async (key, version) => {
        const isThere = (await real.get(key)) !== undefined
        await real.delete(key)
        return version === undefined ? undefined : isThere
      }),
    }),
  },
  {
    fault: 'delete with a version: always says true',
    caughtBy: 'delete with a version: false when there is no record',
    server: (real) => ({
      delete: deleting(async (key, version) => (version === undefined ? real.delete(key) : (await real.delete(key, version)) || true)),
    }),
  },
  {
    fault: 'delete with a version: never says true',
    caughtBy: 'delete with a version: true when it removed',
    server: (real) => ({
      delete: deleting(async (key, version) => (version === undefined ? real.delete(key) : (await real.delete(key, version)) && false)),
    }),
  },
  {
    fault: 'delete with a version: a touch makes the version another',
    caughtBy: 'delete with a version: a touch leaves the version as it was',
    server: (real) => {
      const touched = new Set<string>()
      return {
        touch: (key, expiresAt) => {
          touched.add(key)
          return real.touch(key, expiresAt)
        },
        delete: deleting(async (key, version) => {
          if (version === undefined) return real.delete(key)
          return touched.has(key) ? false : real.delete(key, version)
        }),
      }
    },
  },
  {
    fault: 'delete with a version: looks, then deletes',
    caughtBy: 'delete with a version: of several at once',
    server: (real) => ({
      delete: deleting(async (key, version) => {
        if (version === undefined) return real.delete(key)
        if ((await real.get(key))?.version !== version) return false
        await turn()
        await real.delete(key)
        return true
      }),
    }),
  },
  {
    fault: 'delete: a manager writes what it has read',
    caughtBy: 'delete: a manager that read the record before cannot bring it back',
    connection: (real) => {
      const { written, ...writes } = remembering(real)
      return {
        ...writes,
        touch: async (key, expiresAt) => {
          const value = written.get(key)
          return (await real.touch(key, expiresAt)) || (value !== undefined && (await real.create(key, value, expiresAt)) !== undefined)
        },
      }
    },
  },
  {
    fault: 'delete: is undone by a touch that was on its way',
    caughtBy: 'delete: at once with writes, touches and reads',
    server: (real) => ({
      touch: async (key, expiresAt) => {
        const record = await real.get(key)
        if (record === undefined) return false
        await turn()
        return (await real.touch(key, expiresAt)) || (await real.create(key, record.value, expiresAt)) !== undefined
      },
    }),
  },
]

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

const valueMutants: readonly Mutant[] = [
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
  mangling('loses code points that are no characters', 'the last code points', (value) => value.replaceAll(/[\uFFFE\uFFFF]/gu, '\uFFFD')),
  mangling('is put into a pattern', 'what looks like escapes', (value) => 'x'.replace('x', value)),
  mangling('an object in it is read', 'what looks like a record', (value) => (value.startsWith('{"') ? (JSON.parse(value) as { value: string }).value : value)),
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

/** What a key is taken for. */
const keyed = (fault: string, caughtBy: string, change: (key: string) => string): Mutant => ({
  fault: `key: ${fault}`,
  caughtBy: `key: ${caughtBy}`,
  server: (real) => ({
    get: (key, touch) => real.get(change(key), touch),
    create: (key, value, expiresAt) => real.create(change(key), value, expiresAt),
    replace: (key, value, version, expiresAt) => real.replace(change(key), value, version, expiresAt),
    touch: (key, expiresAt) => real.touch(change(key), expiresAt),
    delete: deleting((key, version) => (version === undefined ? real.delete(change(key)) : real.delete(change(key), version))),
  }),
})

const keyMutants: readonly Mutant[] = [
  keyed('is ignored', 'the record of one is never given for another', () => 'one'),
  keyed('is ignored', 'what is done to one record leaves the next', () => 'one'),
  keyed('loses its last digit', 'two that differ in the last digit', (key) => key.slice(0, -1)),
  keyed('loses its first digit', 'two that differ in the last digit only, or in the first', (key) => key.slice(1)),
]

export const recordMutants: readonly Mutant[] = [
  ...readingMutants,
  ...expiryMutants,
  ...creatingMutants,
  ...replacingMutants,
  ...versionMutants,
  ...touchingMutants,
  ...deletingMutants,
  ...valueMutants,
  ...keyMutants,
]
