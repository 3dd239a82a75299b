import test from 'ava'
import type { ExecutionContext } from 'ava'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import * as phial from '../../src/index.js'
import { createManager, loadIni, SessionError, StoreError, StoreTimeoutError, StoreUnavailableError } from '../../src/index.js'
import { newId } from '../../src/record/id.js'
import { FaultyStore } from '../support/faulty-store.js'
import { Clock, SECRET } from '../support/harness.js'
import {
  acts, ask, cookieFor, countOf, directory, ENCRYPT_KEY, MODES, openStore, record, serveIn, STORED, Visitor,
  withMethods,
} from './support.js'
import type { Told } from './support.js'

const REQUESTS = countOf('PHIAL_REQUESTS', 200)

/** Every error that phial has, by its promised code. */
const CODES: Record<string, string> = {
  CodecError: 'PHIAL_CODEC', ConfigError: 'PHIAL_CONFIG', CsrfError: 'PHIAL_CSRF', DependencyError: 'PHIAL_DEPENDENCY',
  HeadersSentError: 'PHIAL_HEADERS_SENT', LockTimeoutError: 'PHIAL_LOCK_TIMEOUT',
  SessionClosedError: 'PHIAL_CLOSED', SessionConflictError: 'PHIAL_CONFLICT', SessionGoneError: 'PHIAL_GONE',
  StoreError: 'PHIAL_STORE',
  StoreOutcomeUnknownError: 'PHIAL_STORE_OUTCOME_UNKNOWN', StoreTimeoutError: 'PHIAL_STORE_TIMEOUT',
  StoreUnavailableError: 'PHIAL_STORE_UNAVAILABLE', TooLargeError: 'PHIAL_TOO_LARGE',
}

test('S160: every error is of one class with a code of its own, which does not change', (t) => {
  const classes = Object.entries(phial).filter(([name]) => name.endsWith('Error') && name !== 'SessionError') as [string, any][]
  const codes = Object.fromEntries(classes.map(([name, Kind]) => {
    const details = name.includes('Store') ? { backend: 'b', operation: 'o', cause: 7 } : name === 'CodecError' ? 'path' : {}
    const error = new Kind('m', details, { cause: 7 })
    t.true(error instanceof SessionError && error instanceof Error)
    t.is(error.name, name)
    if (error instanceof StoreError) t.deepEqual([error.cause, typeof error.retryable], [7, 'boolean'])
    return [name, error.code]
  }))
  t.deepEqual(codes, CODES)
})

for (const mode of STORED) {
  test(`S160: whatever comes out of a store is a typed error with its cause, whether it may be tried again, and a 503: ${mode.name}`, async (t) => {
    const store = new FaultyStore(openStore(t, mode))
    const caught: any[] = []
    const { port } = await serveIn(
      t, mode, acts, { type: store.manager, operationTimeout: 1, requestBudget: 3, onError: (error) => void caught.push(error) }
    )
    const down = new StoreUnavailableError('down', { backend: 'b', operation: 'o' })
    type Method = 'get' | 'create' | 'replace' | 'delete'
    const faults: [method: Method, path: string, fault: any, code: string, cause: unknown, retryable: boolean][] = []
    const calls = [
      ['get', '/'], ['create', '/renew'], ['replace', '/set?a=1'], ['replace', '/add'], ['delete', '/logout'], ['delete', '/invalidate'],
    ] as const
    for (const [method, path] of calls) {
      const bare = new RangeError('x')
      faults.push(
        [method, path, down, 'PHIAL_STORE_UNAVAILABLE', undefined, true],
        [method, path, bare, 'PHIAL_STORE', bare, false],
        [method, path, async () => { throw 'a bare string' }, 'PHIAL_STORE', 'a bare string', false],
        [method, path, () => Promise.reject(undefined), 'PHIAL_STORE', undefined, false],
      )
    }
    for (const [method, path, fault, code, cause, retryable] of faults) {
      const visitor = new Visitor(port)
      await visitor.ask('/set?user=ann')
      store.next(method, fault)
      const { status, body, headers } = await visitor.ask(path)
      t.deepEqual([status, body, headers['retry-after']], [503, 'Service Unavailable\n', '1'], `${method} ${path}`)
      const error = caught.pop()
      t.true(error instanceof StoreError)
      t.deepEqual([error.code, error.cause, error.retryable], [code, cause, retryable], `${method} ${path}`)
    }
    const visitor = new Visitor(port)
    await visitor.ask('/set?user=ann')
    store.next('get', 'hung')
    t.is((await visitor.ask()).status, 503)
    const slow = caught.pop()
    t.deepEqual([slow instanceof StoreTimeoutError, slow.operation, slow.retryable], [true, 'get', true])
  })
}

const CANARIES = { data: 'canary-data-5f0e', owner: 'canary-owner-77b1', secret: SECRET, encryptKey: ENCRYPT_KEY }

/** All that a program can be shown of a value without asking for the data itself. */
const shown = (value: unknown): string => [
  inspect(value, { depth: Infinity, showHidden: true, customInspect: true, getters: true }),
  inspect(value, { depth: Infinity, showHidden: true, customInspect: false, getters: false }),
  String((value as Error | undefined)?.stack), value instanceof phial.Session ? '' : JSON.stringify(value), // a session's JSON is its data
].join('\n')

for (const mode of MODES) {
  test.serial(`S014, S161: through every fault neither id, key, secret nor data is in an event, an error, a warning, an answer or anything printed: ${mode.name}`, async (t) => {
    const said: string[] = []
    const told = record(t)
    const onWarning = (warning: Error): void => void said.push(shown(warning))
    process.on('warning', onWarning)
    t.teardown(() => process.off('warning', onWarning))
    const streams = [process.stdout, process.stderr].map((stream) => ({ stream, write: stream.write }))
    for (const { stream } of streams) stream.write = ((chunk: string | Uint8Array) => (said.push(String(chunk)), true)) as never
    t.teardown(() => { for (const { stream, write } of streams) stream.write = write })

    const clock = new Clock()
    const ids: string[] = []
    const answers: string[] = []
    const store = mode.isStored ? new FaultyStore(openStore(t, mode, clock.now)) : undefined
    const app = await serveIn(t, mode, async (req, res) => {
      const session = await req.session.load()
      ids.push(session.id)
      said.push(
        shown(session), shown(req.session), shown(app.manager), shown(session.cookie), `${session} ${req.session} ${app.manager}`
      )
      await acts(req, { end: () => {} } as never)
      if (req.url === '/big') await session.set('big', CANARIES.data.repeat(100_000)).save()
      if (req.url === '/bad') await session.set('bad', new Map([[CANARIES.data, 1]])).save()
      if (req.url === '/throws') await session.update(() => { throw new phial.TooLargeError('mine', 1, 1) })
      if (req.url === '/lock' && mode.isStored) await session.lock({ wait: 0 }).then(() => session.lock({ wait: 0 }))
      session.set('unsaved', CANARIES.data)
      res.end('done')
    }, {
      now: clock.now, encryptKey: mode.name === 'cookie, signed' ? undefined : ENCRYPT_KEY, cookieExpires: 600,
      ...(store && { type: store.manager }),
      onError: (error) => { said.push(shown(error), shown((error as Error).cause)) },
    })
    const visitor = new Visitor(app.port)
    const visit = async (path: string): Promise<void> => {
      const { status, body, headers } = await visitor.ask(path)
      answers.push(`${status} ${body}`, JSON.stringify({ ...headers, 'set-cookie': undefined }))
    }
    const down = (): Error => new StoreUnavailableError('down', { backend: 'b', operation: 'o' })
    await visit(`/login?user=${CANARIES.owner}`)
    await visit(`/set?data=${CANARIES.data}`)
    for (const path of ['/', '/big', '/bad', '/throws', '/lock', '/renew', '/add', '/save', `/set?data=${CANARIES.data}`, '/']) {
      for (const method of [undefined, 'get', 'create', 'replace', 'delete'] as const) {
        if (method !== undefined && store === undefined) continue
        if (method !== undefined) store!.next(method, down())
        await visit(path)
        clock.advance(70_000)
        await visit('/')
      }
    }
    const own = await visitor.cookies()
    for (const cookie of ['phial=forged', `${own}; phial=x`, cookieFor(newId()), `${own}x`]) await ask(app.port, '/', { cookie })
    await visit('/logout')
    for (const line of JSON.stringify(await visitor.jar.serialize()).match(/"value":"[^"]*"/g) ?? []) ids.push(line.slice(9, -1))
    await new Promise(setImmediate)
    for (const { stream, write } of streams) stream.write = write
    said.push(...told.map(({ event, fields }: Told) => `${event} ${shown(fields)} ${shown(fields['error'])}`))
    t.true(told.length > 10 && said.length > 50)

    const all = [...said, ...answers].join('\n')
    for (const [what, canary] of Object.entries(CANARIES)) t.false(all.includes(canary), what)
    for (const id of ids.filter((id) => id !== '')) t.false(all.includes(id), 'an id')
    t.true(answers.some((answer) => answer.startsWith(mode.isStored ? '503' : '500')))
    for (const failure of answers.filter((answer) => /^[45]\d\d /.test(answer))) {
      t.regex(failure, /^(409 Conflict|500 Internal Server Error|503 Service Unavailable)\n$/)
    }
  })
}

/** What each event is told for, and with what. */
const OCCASIONS: Record<string, (t: ExecutionContext, told: Told[]) => Promise<unknown>> = {
  'created {"backend":"memory"}': async (t) => (await visitorOf(t)).ask('/set?a=1'),
  'regenerated {"backend":"memory"}': async (t) => (await saved(t)).ask('/renew'),
  'destroyed {"backend":"memory","reason":"destroy"}': async (t) => (await saved(t)).ask('/logout'),
  'destroyed {"backend":"memory","reason":"invalidate"}': async (t) => (await saved(t)).ask('/invalidate'),
  'destroyed {"backend":"memory","reason":"revoke"}': async (t) => {
    const { port, manager } = await serveIn(t, STORED[0]!, acts)
    await new Visitor(port).ask('/login?user=ann')
    await manager.revoke({ owner: 'ann' })
  },
  'expired {"backend":"memory","reason":"lifetime"}': (t) => aged(t, 7_200_000, { timeout: false, lifetime: 7200 }),
  'expired {"backend":"memory","reason":"future"}': (t) => aged(t, -120_000, {}),
  'unknown-id {"backend":"memory"}': async (t) => ask((await visitorOf(t)).port, '/', { cookie: cookieFor(newId()) }),
  'rejected-id {"reason":"malformed"}': async (t) => ask((await visitorOf(t)).port, '/', { cookie: 'phial=x' }),
  'rejected-id {"reason":"bad-signature"}': async (t) => ask(
    (await visitorOf(t)).port, '/', { cookie: cookieFor(newId(), 'phial', 'another') }
  ),
  'rejected-id {"reason":"ambiguous"}': async (t) => ask(
    (await visitorOf(t)).port, '/', { cookie: `${cookieFor(newId())}; ${cookieFor(newId())}` }
  ),
  'rejected-id {"reason":"too-many"}': async (t) => ask(
    (await visitorOf(t)).port, '/', { cookie: Array(9).fill(cookieFor(newId())).join('; ') }
  ),
  'corrupt {"backend":"own","reason":"the record is cut short"}': async (t) => {
    const inner = openStore(t, STORED[0]!)
    const { port } = await serveIn(
      t, STORED[0]!, acts, { type: withMethods(inner, { get: async () => ({ value: 'x', version: '1' }) }) }
    )
    await ask(port, '/', { cookie: cookieFor(newId()) })
  },
  'conflict {"backend":"own","tries":1}': async (t) => {
    const inner = openStore(t, STORED[0]!)
    let isFirst = true
    const { port } = await serveIn(t, STORED[0]!, acts, {
      type: withMethods(inner, {
        replace: async (key, value, version, at) => {
          if (isFirst) await inner.replace(key, (await inner.get(key))!.value, version, at)
          isFirst = false
          return inner.replace(key, value, version, at)
        },
      }),
    })
    const visitor = new Visitor(port)
    await visitor.ask('/set?a=1')
    await visitor.ask('/set?b=1')
  },
  'gone {"backend":"own","operation":"replace"}': async (t) => {
    const inner = openStore(t, STORED[0]!)
    const { port } = await serveIn(
      t, STORED[0]!, acts, { type: withMethods(inner, { replace: async (key) => void (await inner.delete(key)) }) }
    )
    const visitor = new Visitor(port)
    await visitor.ask('/set?a=1')
    await visitor.ask('/set?b=1')
  },
  'store-error {"backend":"own","operation":"create","error":"PHIAL_STORE_UNAVAILABLE"}': (t) => outage(t),
  'store-recovered {"backend":"own"}': (t) => outage(t),
  'dropped {"reason":"not-saved","keys":2}': async (t) => {
    const visitor = await saved(t)
    await visitor.ask('/change?b=1&c=2')
  },
  'dropped {"reason":"response-failed","keys":1}': (t) => outage(t),
  'dropped {"reason":"aborted","keys":1}': async (t, told) => {
    const { port } = await serveIn(t, STORED[0]!, async (req) => {
      (await req.session.load()).set('a', 1)
      socket.destroy()
    })
    const socket = connect(port, '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    while (!told.some(({ event }) => event === 'dropped')) await new Promise(setImmediate)
  },
  'cookie-skipped {"reason":"headers-sent"}': async (t) => {
    const { port } = await serveIn(t, STORED[0]!, async (req, res) => {
      const session = await req.session.load()
      if (req.url === '/late') res.flushHeaders()
      if (req.url === '/late') await session.destroy()
      else await session.save()
      res.end()
    })
    const visitor = new Visitor(port)
    await visitor.ask('/')
    await visitor.ask('/late')
  },
  'cookie-skipped {"reason":"gone"}': async (t) => {
    const inner = openStore(t, STORED[0]!)
    const { port } = await serveIn(
      t, STORED[0]!, acts,
      { forceCookie: true, type: withMethods(inner, { replace: async (key) => void (await inner.delete(key)) }) }
    )
    const visitor = new Visitor(port)
    await visitor.ask('/set?a=1')
    await visitor.ask('/set?b=1')
  },
  'cache-overridden {"value":"public"}': async (t) => {
    const { port } = await serveIn(t, STORED[0]!, async (req, res) => {
      res.setHeader('Cache-Control', 'Public')
      await acts(req, res)
    })
    await ask(port, '/set?a=1')
  },
  'evicted {"backend":"memory","reason":"count"}': async (t) => {
    const { port } = await serveIn(t, STORED[0]!, acts, { memory: { maxSessions: 1 } })
    await ask(port, '/set?a=1')
    await ask(port, '/set?a=1')
  },
  'evicted {"backend":"memory","reason":"bytes"}': async (t) => {
    const { port } = await serveIn(t, STORED[0]!, acts, { maxBytes: 1000, memory: { maxTotalBytes: 1000 } })
    for (let n = 0; n < 2; n++) await ask(port, `/set?a=${'x'.repeat(600)}`)
  },
  'hook-failed {"hook":"onError","error":"Error"}': (t) => outage(t, () => { throw new Error('hook') }),
}

const visitorOf = async (t: ExecutionContext): Promise<Visitor> => new Visitor((await serveIn(t, STORED[0]!, acts)).port)

const saved = async (t: ExecutionContext): Promise<Visitor> => {
  const visitor = await visitorOf(t)
  await visitor.ask('/set?a=1')
  return visitor
}

/** A session that is read when so much time has passed for the server, and none for the store. */
const aged = async (t: ExecutionContext, ms: number, settings: object): Promise<void> => {
  const clock = new Clock()
  const start = clock.now()
  const store = openStore(t, STORED[0]!, () => start)
  const { port } = await serveIn(
    t, STORED[0]!, acts, { now: clock.now, ...settings, type: { type: 'memory', supports: store.supports, open: () => store } }
  )
  const visitor = new Visitor(port)
  await visitor.ask('/set?a=1')
  clock.advance(ms)
  await visitor.ask('/')
}

const outage = async (t: ExecutionContext, onError?: () => void): Promise<void> => {
  const store = new FaultyStore(openStore(t, STORED[0]!))
  const { port } = await serveIn(t, STORED[0]!, acts, { type: store.manager, onError })
  store.next('create', new StoreUnavailableError('down', { backend: 'b', operation: 'o' }))
  await ask(port, '/set?a=1')
  await ask(port, '/set?a=1')
}

for (const [expected, occasion] of Object.entries(OCCASIONS)) {
  test.serial(`S162: told: ${expected}`, async (t) => {
    const told = record(t)
    await occasion(t, told)
    const errorAsCode = (key: string, value: any): unknown => (key === 'error' ? value.code ?? value.name : value)
    const lines = told.map(({ event, fields }) => `${event} ${JSON.stringify(fields, errorAsCode)}`)
    t.true(lines.includes(expected), lines.join('\n'))
  })
}

for (const mode of MODES) {
  test.serial(`S163: under a storm of forged cookies nothing is printed, and each is one event: ${mode.name}`, async (t) => {
    const told = record(t)
    const { port } = await serveIn(t, mode, acts)
    const printed: string[] = []
    const { write } = process.stderr
    process.stderr.write = ((chunk: string) => (printed.push(chunk), true)) as never
    t.teardown(() => { process.stderr.write = write })
    for (let n = 0; n < REQUESTS; n++) {
      await ask(port, '/', { cookie: n % 2 === 0 ? cookieFor(newId(), 'phial', 'another') : `phial=${n}` })
    }
    process.stderr.write = write
    t.deepEqual(printed, [])
    t.is(told.length, REQUESTS)
    t.true(told.every(({ event }) => event === 'rejected-id'))
  })
}

const child = async (program: string, ...args: string[]): Promise<{ code: number | null; out: string; err: string }> => {
  const running = spawn(
    process.execPath, [fileURLToPath(new URL(program, import.meta.url)), ...args],
    { stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000, killSignal: 'SIGKILL' }
  )
  let out = ''
  let err = ''
  running.stdout.on('data', (chunk) => { out += chunk })
  running.stderr.on('data', (chunk) => { err += chunk })
  const [code] = await once(running, 'close')
  return { code, out, err }
}

test('S164: a storm of faults, aborts and promises that nobody takes ends no process and rejects nothing unhandled', async (t) => {
  const { code, out, err } = await child('storm-process.js')
  t.deepEqual([code, err], [0, ''])
  const { answered, faults } = JSON.parse(out)
  t.true(answered > 100 && faults > 50, out)
})

test('S165: a listener that throws stops neither the request nor another listener; Node reports it as an uncaught exception', async (t) => {
  const { code, out, err } = await child('throwing-listener-process.js')
  t.deepEqual([code, JSON.parse(out), err], [0, { status: 200, heard: 2, uncaught: 2 }, ''])
})

test('S165: an onError hook that throws does not keep the error answer back', async (t) => {
  const store = new FaultyStore(openStore(t, STORED[0]!))
  for (const onError of [() => { throw new Error('hook') }, async () => { throw new Error('hook') }]) {
    const { port } = await serveIn(t, STORED[0]!, acts, { type: store.manager, onError })
    store.next('create', new StoreUnavailableError('down', { backend: 'b', operation: 'o' }))
    const { status, body } = await ask(port, '/set?a=1')
    t.deepEqual([status, body], [503, 'Service Unavailable\n'])
  }
})

test('S204: settings, managers and what they are made of print no secret', (t) => {
  const path = join(directory(t), 'app.ini')
  writeFileSync(path, `[app:main]\nsession.secret = ${SECRET}\nsession.encrypt_key = ${ENCRYPT_KEY}\n`)
  const settings = loadIni(path)
  const manager = createManager(settings, { secure: false })
  t.teardown(() => manager.close())
  for (const value of [settings, manager, { settings, manager }]) {
    for (const canary of [SECRET, ENCRYPT_KEY]) t.false(shown(value).includes(canary))
  }
  t.true(readFileSync(path, 'utf8').includes(SECRET))
})
