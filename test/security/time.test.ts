import test from 'ava'
import type { ExecutionContext } from 'ava'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { CookieJar } from 'tough-cookie'
import type { SettingsInput } from '../../src/index.js'
import { Clock } from '../support/harness.js'
import { acts, ask, countOf, directory, MODES, openStore, random, serveIn, STORED, Visitor, withMethods } from './support.js'
import type { Mode, Store } from './support.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

interface OnClock {
  readonly clock: Clock
  readonly visitor: Visitor
  readonly port: number
}

/** A server on a clock of the test's, and a visitor whose jar has the server's idea of the time. */
const onClock = async (t: ExecutionContext, mode: Mode, settings: SettingsInput): Promise<OnClock> => {
  const clock = new Clock()
  const { port } = await serveIn(t, mode, acts, { now: clock.now, ...settings })
  return { clock, visitor: new Visitor(port), port }
}

for (const mode of MODES) {
  test(`S040, S046: the idle end is exact: there a millisecond before it, gone at it: ${mode.name}`, async (t) => {
    for (const ahead of [-1, 0, 1]) {
      const { clock, visitor } = await onClock(t, mode, { timeout: 1800 })
      await visitor.ask('/set?user=ann')
      clock.advance(1_800_000 + ahead)
      t.is(await visitor.body(), ahead < 0 ? '{"user":"ann"}' : '{}', `T${ahead}`)
    }
  })

  test(`S041: used every minute for 13 hours, a session ends exactly at its absolute end of 12: ${mode.name}`, async (t) => {
    const { clock, visitor } = await onClock(t, mode, { timeout: 900, lifetime: 12 * 3600 })
    await visitor.ask('/set?user=ann')
    let minutes = 0
    while (minutes < 13 * 60) {
      clock.advance(MINUTE - 1)
      const before = await visitor.body(minutes % 7 === 0 ? '/save' : '/')
      clock.advance(1)
      minutes++
      t.is(before, minutes <= 12 * 60 ? '{"user":"ann"}' : '{}', `minute ${minutes}`)
      if (minutes === 12 * 60) t.is(await visitor.body(), '{}')
    }
  })

  test(`S042: touching, saving and renewing leave the absolute end where it is; proving again who one is moves both ends: ${mode.name}`, async (t) => {
    const { clock, visitor } = await onClock(t, mode, { timeout: 3600, lifetime: 7200 })
    await visitor.ask('/set?user=ann')
    for (const act of ['/', '/save', '/set?user=ann', '/renew', '/add', '/renew', '/']) {
      clock.advance(1_000_000)
      t.true((await visitor.body(act)).includes('ann'), act)
    }
    clock.advance(199_999)
    t.true((await visitor.body()).includes('ann'))
    const lapsed = visitor.copy()
    const again = visitor.copy()
    await again.ask('/login?user=ann')
    clock.advance(1)
    if (!mode.isStored) t.is(await lapsed.body(), '{}')
    for (const ms of [3_599_000, 3_599_000]) {
      clock.advance(ms)
      t.true((await again.body()).includes('ann'))
    }
    clock.advance(7_200_000 - 1 - 2 * 3_599_000 - 1)
    t.true((await again.body()).includes('ann'))
    clock.advance(1)
    t.is(await again.body(), '{}')
  })

  test(`S043: a client that keeps its cookie for ever does not prolong its session: ${mode.name}`, async (t) => {
    const { clock, port } = await onClock(t, mode, { timeout: 3600, cookieExpires: 600 })
    const { setCookies } = await ask(port, '/set?user=ann')
    const edited = setCookies[0]!.replace(/Max-Age=\d+/, 'Max-Age=34560000').replace(
      /Expires=[^;]*/, 'Expires=Fri, 31 Dec 9999 23:59:59 GMT'
    )
    const jar = new CookieJar()
    await jar.setCookie(edited, 'http://127.0.0.1/')
    const cookie = await jar.getCookieString('http://127.0.0.1/')
    t.is((await ask(port, '/', { cookie })).body, '{"user":"ann"}')
    clock.advance(HOUR)
    t.is((await ask(port, '/', { cookie })).body, '{}')
  })
}

/** NIST SP 800-63B-4, sections 2.1.3, 2.2.3 and 2.3.3. */
const PROFILES: Record<string, SettingsInput> = {
  AAL1: { lifetime: 30 * 86_400, timeout: false },
  AAL2: { lifetime: 24 * 3600, timeout: 3600 },
  AAL3: { lifetime: 12 * 3600, timeout: 900 },
}

for (const [profile, settings] of Object.entries(PROFILES)) {
  for (const mode of MODES) {
    test(`S044: two settings keep to ${profile}: ${mode.name}`, async (t) => {
      const { clock, visitor } = await onClock(t, mode, settings)
      const { lifetime, timeout } = settings as { lifetime: number; timeout: number | false }
      await visitor.ask('/set?user=ann')
      const step = (timeout || lifetime / 10) * 1000 - 1
      for (let at = step; at < lifetime * 1000; at += step) {
        clock.advance(step)
        t.is(await visitor.body(), '{"user":"ann"}')
      }
      clock.advance(step)
      t.is(await visitor.body(), '{}')
      const idle = await onClock(t, mode, settings)
      await idle.visitor.ask('/set?user=ann')
      idle.clock.advance((timeout || lifetime) * 1000)
      t.is(await idle.visitor.body(), '{}')
    })
  }
}

for (const mode of MODES) {
  test(`S045: timeouts from a second to 400 days can be read back one second later and just before their end, and not at it: ${mode.name}`, async (t) => {
    for (const seconds of [1, 59, 29 * 86_400, 30 * 86_400, 30 * 86_400 + 1, 31 * 86_400, 400 * 86_400]) {
      const { clock, port } = await onClock(t, mode, { timeout: seconds, lifetime: 400 * 86_400 })
      for (const ms of [Math.min(1000, seconds * 1000 - 1), seconds * 1000 - 1, seconds * 1000]) {
        const visitor = new Visitor(port)
        await visitor.ask('/set?user=ann')
        clock.advance(ms)
        t.is(await visitor.body(), ms < seconds * 1000 ? '{"user":"ann"}' : '{}', `${seconds} s after ${ms} ms`)
      }
    }
  })
}

for (const mode of STORED) {
  test(`S046: what the store is told of a session's end is never earlier than that, never past its absolute end, and never nothing: ${mode.name}`, async (t) => {
    const chance = random(countOf('PHIAL_SEED', Math.floor(Math.random() * 2 ** 31)))
    for (let round = 0; round < 6; round++) {
      const clock = new Clock()
      const lifetime = round === 0 ? false : Math.ceil(chance() * 1e6) + 20
      const timeout = round === 1 ? false : Math.ceil(chance() * (lifetime || 1e6))
      const told: number[] = []
      const store = openStore(t, mode, clock.now)
      const telling = <A extends unknown[], R>(method: (...args: A) => R, at: number) => (...args: A): R => {
        told.push(args[at] as number)
        return method.apply(store, args)
      }
      const { port } = await serveIn(t, mode, acts, {
        now: clock.now, lifetime, timeout,
        type: withMethods(
          store, { create: telling(store.create, 2), replace: telling(store.replace, 3), touch: telling(store.touch, 1) }
        ),
      })
      const visitor = new Visitor(port)
      const born = clock.now()
      for (let n = 0; n < 12; n++) {
        told.length = 0
        await visitor.ask(n === 0 ? '/set?user=ann' : ['/set?a=1', '/add', '/save', '/renew'][n % 4]!)
        const end = Math.min(clock.now() + (timeout || Infinity) * 1000, born + (lifetime || Infinity) * 1000)
        // The sign that an id was renewed stays for a minute.
        for (const at of told) t.true(at === end || (n % 4 === 3 && at === clock.now() + 60_000), `${at} for ${end}`)
        clock.advance(Math.floor(chance() * Math.min(timeout || 1e6, (lifetime || 1e6) / 12) * 999))
      }
      t.true(told.every(Number.isSafeInteger))
    }
  })
}

for (const mode of MODES) {
  for (const [back, isWithinSkew] of [[MINUTE, true], [HOUR, false], [DAY, false]] as const) {
    test(`S048: with the clock ${back / MINUTE} min back a session made just before ${isWithinSkew ? 'goes on' : 'counts as expired'}: ${mode.name}`, async (t) => {
      const { clock, visitor } = await onClock(t, mode, { timeout: 3600 })
      await visitor.ask('/set?user=ann')
      clock.advance(-back)
      t.is(await visitor.body(), isWithinSkew ? '{"user":"ann"}' : '{}')
    })
  }
}

for (const mode of STORED) {
  test(`S049: with the clock a day ahead for a moment, sessions that nobody used then go on, and no lock is stolen: ${mode.name}`, async (t) => {
    const clock = new Clock()
    const app = await serveIn(t, mode, acts, { now: clock.now, timeout: 3600 })
    const quiet = new Visitor(app.port)
    await quiet.ask('/set?user=ann')
    const held = await app.manager.create()
    await held.save()
    const lock = await held.lock({ lease: 30 })
    clock.advance(DAY)
    const other = await app.manager.create()
    await other.save()
    clock.advance(-DAY)
    t.is(await quiet.body(), '{"user":"ann"}')
    const again = await app.manager.getById(held.id)
    await t.throwsAsync(again!.lock({ wait: 0 }), { code: 'PHIAL_LOCK_TIMEOUT' })
    await lock.release()
    await (await again!.lock({ wait: 5 })).release()
  })
}

// The memory backend's timer purges by a clock that was set, where the file backend's leaves that round out.
test('S049: a purge that happens to run while the clock is a day ahead takes no session that lives: memory', async (t) => {
  const clock = new Clock()
  let isAhead = false
  let purged = (): void => {}
  const purge = new Promise<void>((resolve) => { purged = resolve })
  const now = (): number => {
    if (isAhead) purged()
    return clock.now()
  }
  const { port } = await serveIn(t, STORED[0]!, acts, { now, timeout: 3600, memory: { purgeInterval: 1 } })
  const visitor = new Visitor(port)
  await visitor.ask('/set?user=ann')
  clock.advance(DAY)
  isAhead = true
  await purge
  await new Promise(setImmediate)
  isAhead = false
  clock.advance(-DAY)
  t.is(await visitor.body(), '{"user":"ann"}')
})

for (const mode of MODES) {
  test(`S050: a thousand uses within ten seconds move the idle end once: ${mode.name}`, async (t) => {
    const clock = new Clock()
    const inner = mode.isStored ? openStore(t, mode, clock.now) : undefined
    let moves = 0
    let writes = 0
    const counting = (store: Store) => withMethods(store, {
      get: async (key, touch) => {
        const found = await store.get(key, touch)
        if (found?.touched) moves++
        return found
      },
      create: (...args) => (writes++, store.create(...args)),
      replace: (...args) => (writes++, store.replace(...args)),
      touch: (...args) => (writes++, store.touch(...args)),
    })
    const { port } = await serveIn(t, mode, acts, { now: clock.now, ...(inner && { type: counting(inner) }) })
    const visitor = new Visitor(port)
    await visitor.ask('/set?user=ann')
    clock.advance(MINUTE + 1)
    let cookies = 0
    writes = 0
    for (let n = 0; n < 1000; n++) {
      const { setCookies, body } = await visitor.ask(n % 10 === 0 ? '/save' : '/')
      t.is(body, '{"user":"ann"}')
      cookies += setCookies.length
      clock.advance(10)
    }
    t.is(writes, 0)
    t.is(moves + cookies, 1)
  })
}

const idle = fileURLToPath(new URL('idle-process.js', import.meta.url))

for (const mode of MODES) {
  test(`S052: a process that has used its sessions and has nothing more to do ends: ${mode.name}`, async (t) => {
    const settings = { ...mode.settings(t), ...(mode.name === 'file' && { dataDir: directory(t) }) }
    const child = spawn(
      process.execPath, [idle, JSON.stringify(settings)],
      { stdio: ['ignore', 'pipe', 'inherit'], timeout: 60_000, killSignal: 'SIGKILL' }
    )
    let said = ''
    child.stdout.on('data', (chunk) => { said += chunk })
    const [code, signal] = await once(child, 'close')
    t.deepEqual([code, signal, said], [0, null, 'ann\n'])
  })
}
