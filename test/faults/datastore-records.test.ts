import ava from 'ava'
import type { ExecutionContext } from 'ava'
import { generateKeyPairSync } from 'node:crypto'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { DatastoreManager } from '../../backends/datastore/datastore-manager.js'
import type { CallOptions, DatastoreClient } from '../../backends/datastore/client.js'
import { StoreError, TooLargeError } from '../../src/index.js'
import type { SessionRequest } from '../../src/index.js'
import { serve } from '../support/app.js'
import { borrowEmulator, freshNamespace, missingEmulator, tellMissing } from '../support/datastore-emulator.js'
import { HOUR, keyOf, openDatastore, opening, timed } from '../support/datastore-store.js'
import { temporaryDirectory } from '../support/every-backend.js'
import { runProgram } from '../support/run-program.js'
import { ScriptedDatastore } from '../support/scripted-datastore.js'

tellMissing('the tests of datastore\'s records are')
const test = missingEmulator === undefined ? ava.serial : (ava.serial.skip as unknown as typeof ava.serial) // one at a time: the emulator starts slowly

const google = createRequire(import.meta.url)('@google-cloud/datastore')

/** Puts an entity where the record of `keyOf('a')` would be, with these properties. */
const plant = async (t: ExecutionContext, namespace: string, properties: object): Promise<void> => {
  const { port } = await borrowEmulator(t)
  const datastore = new google.Datastore({ projectId: 'phial-test', apiEndpoint: `http://127.0.0.1:${port}` })
  await datastore.save({ key: datastore.key({ namespace, path: ['PhialSession', keyOf('a')] }), data: properties })
  for (const client of datastore.clients_.values()) await client.close()
}

const open = async (t: ExecutionContext, context: Parameters<typeof openDatastore>[1] = {}): Promise<DatastoreManager> =>
  openDatastore(t, { url: (await borrowEmulator(t)).url, namespace: freshNamespace(), ...context })

test('D01: 50 writers at once on one record, each with a connection of its own: all 50 land', async (t) => {
  t.timeout(120_000)
  const namespace = freshNamespace()
  const managers = await Promise.all(Array.from({ length: 10 }, () => open(t, { namespace })))
  await managers[0]!.create(keyOf('a'), '0', Date.now() + HOUR)
  await Promise.all(Array.from({ length: 50 }, async (_, n) => {
    const manager = managers[n % 10]!
    for (;;) {
      const { value, version } = (await manager.get(keyOf('a')))!
      if ((await manager.replace(keyOf('a'), `${Number(value) + 1}`, version, Date.now() + HOUR)) !== undefined) return
    }
  }))
  t.is((await managers[0]!.get(keyOf('a')))?.value, '50')
})

test('D01: ten managers × 10 updates of one session, through the library: all 100 count', async (t) => {
  t.timeout(120_000)
  const settings = { type: 'datastore', url: (await borrowEmulator(t)).url, namespace: freshNamespace(), operationTimeout: 60, requestBudget: 90 }
  const handler = async (req: SessionRequest, res: { end(text: string): void }): Promise<void> => {
    const session = await req.session.load()
    if (req.url === '/add') await session.update('n', (n = 0) => n + 1)
    res.end(JSON.stringify(session))
  }
  const apps = await Promise.all(Array.from({ length: 10 }, () => serve(t, handler, settings)))
  const browser = apps[0]!.client()
  await browser.get('/add')
  const statuses = await Promise.all(apps.flatMap((app) => Array.from({ length: 10 }, async () => (await app.client(browser.jar).get('/add')).status)))
  t.deepEqual([...new Set(statuses)], [200])
  t.is(await browser.text('/'), '{"n":101}')
})

test('D07: what is too large for an entity is refused here, before the server is asked; the emulator would take it', async (t) => {
  const scripted = await ScriptedDatastore.start(t, (await borrowEmulator(t)).port)
  const manager = openDatastore(t, { url: scripted.url, namespace: freshNamespace() })
  const limit = manager.supports.maxValueBytes
  const version = (await manager.create(keyOf('a'), 'x'.repeat(limit), Date.now() + HOUR))!
  scripted.taken()
  for (const value of ['x'.repeat(limit + 1), '€'.repeat(limit / 3 + 1)]) {
    t.true((await timed(() => manager.create(keyOf('b'), value, Date.now() + HOUR))).error instanceof TooLargeError)
    t.true((await timed(() => manager.replace(keyOf('a'), value, version, Date.now() + HOUR))).error instanceof TooLargeError)
  }
  t.deepEqual(scripted.taken(), [])
  t.is((await manager.get(keyOf('a')))?.value.length, limit)
})

ava.serial('D07: the largest entity that can come of it is below Datastore\'s 1,048,572 bytes, by its rules of reckoning', async (t) => {
  let entity: any
  const client = fakeClient({
    commit: async (request: any) => {
      entity = request.mutations[0].insert
      return { mutationResults: [{ version: '1' }] }
    },
  })
  const manager = openDatastore(t, { namespace: 'n'.repeat(100), options: { client, kind: 'k'.repeat(100), projectId: 'p'.repeat(60) } })
  await manager.create(keyOf('a'), 'x'.repeat(manager.supports.maxValueBytes), Infinity)
  const text = (value: string): number => Buffer.byteLength(value) + 1
  const { key, properties } = entity
  const keySize = 16 + text(key.partitionId.projectId) + text(key.partitionId.namespaceId) + text(key.path[0].kind) + text(key.path[0].name)
  const sizes = Object.entries<any>(properties).map(([name, { stringValue }]) => text(name) + (stringValue === undefined ? 8 : text(stringValue)))
  t.true(keySize + 32 + sizes.reduce((sum, size) => sum + size, 0) < 1_048_572 - 300)
  t.true(Object.entries<any>(properties).every(([name, { excludeFromIndexes }]) => (excludeFromIndexes === true) !== (name === 'purge')))
})

test('D10: namespaces that Datastore would refuse are taken, and keys are digests', async (t) => {
  for (const name of ['__reserved__', 'a b', 'ä', 'x'.repeat(300), '/', '..', '\0']) {
    const manager = await open(t, { namespace: `${name}${name.startsWith('__') ? '' : freshNamespace()}` })
    await manager.delete(keyOf('a'))
    t.truthy(await manager.create(keyOf('a'), name, Date.now() + HOUR), name)
    t.is((await manager.get(keyOf('a')))?.value, name)
  }
})

test('D14: what has expired and was not deleted is missing, to every method, and in nobody\'s way', async (t) => {
  let now = Date.now()
  const manager = await open(t, { now: () => now })
  const version = (await manager.create(keyOf('a'), 'value', now + 1_000))!
  now += 25 * HOUR
  t.is(await manager.get(keyOf('a')), undefined)
  t.is(await manager.get(keyOf('a'), { expiresAt: now + HOUR, ifBefore: now + HOUR }), undefined)
  t.false(await manager.touch(keyOf('a'), now + HOUR))
  t.is(await manager.replace(keyOf('a'), 'late', version, now + HOUR), undefined)
  t.false(await manager.delete(keyOf('a'), version))
  for await (const key of manager.keys()) t.fail(key)
  t.truthy(await manager.create(keyOf('a'), 'next', now + HOUR))
})

test('D14: a record that the TTL policy deletes between reading and writing is gone, and stays gone', async (t) => {
  const namespace = freshNamespace()
  const [manager, policy] = [await open(t, { namespace }), await open(t, { namespace })]
  const version = (await manager.create(keyOf('a'), 'value', Date.now() + HOUR))!
  await policy.delete(keyOf('a'))
  t.is(await manager.replace(keyOf('a'), 'late', version, Date.now() + HOUR), undefined)
  t.is(await policy.get(keyOf('a')), undefined)
})

test('D15: writers whose clocks are a day apart lose nothing to each other: versions are the server\'s', async (t) => {
  const namespace = freshNamespace()
  const DAY = 24 * HOUR
  const start = Date.now()
  const managers = await Promise.all([-DAY, 0, DAY].map((skew) => open(t, { namespace, now: () => start + skew })))
  await managers[0]!.create(keyOf('a'), '0', start + 10 * DAY)
  await Promise.all(managers.map(async (manager) => {
    for (let done = 0; done < 10;) {
      const { value, version } = (await manager.get(keyOf('a')))!
      if ((await manager.replace(keyOf('a'), `${Number(value) + 1}`, version, start + 10 * DAY)) !== undefined) done += 1
    }
  }))
  t.is((await managers[1]!.get(keyOf('a')))?.value, '30')
})

test('an entity at our key that is no record of ours is told as a corrupt one, and can be replaced and removed', async (t) => {
  const halves = [{ value: 'x' }, { version: 'v', expires: new Date(Date.now() + HOUR) }]
  for (const properties of [{}, { foo: 1 }, { value: 17, version: 'x', expires: 'never' }, ...halves]) {
    const namespace = freshNamespace()
    await plant(t, namespace, properties)
    const manager = await open(t, { namespace })
    const record = (await manager.get(keyOf('a'), { expiresAt: Date.now() + HOUR, ifBefore: Date.now() + HOUR }))!
    if (!('value' in properties && properties.value === 'x')) t.is(record.value, '')
    t.is(await manager.create(keyOf('a'), 'new', Date.now() + HOUR), undefined)
    const next = await manager.replace(keyOf('a'), 'new', record.version, Date.now() + HOUR)
    t.truthy(next)
    t.true(await manager.delete(keyOf('a'), next!))
  }
})

test('a server that tells no versions is no ground to write on: refused, and nothing is lost', async (t) => {
  const scripted = await ScriptedDatastore.start(t, (await borrowEmulator(t)).port)
  const manager = openDatastore(t, { url: scripted.url, namespace: freshNamespace() })
  for (const method of ['lookup', 'commit'] as const) {
    scripted.always(method, async (forward) => {
      const answer = await forward()
      for (const one of [...(answer['found'] ?? []), ...(answer['mutationResults'] ?? [])]) one.version = '0'
      return answer
    })
  }
  const version = (await manager.create(keyOf('a'), 'value', Date.now() + HOUR))!
  t.is((await timed(() => manager.replace(keyOf('a'), 'next', version, Date.now() + HOUR))).error?.constructor, StoreError)
  t.is((await manager.get(keyOf('a')))?.value, 'value')
})

// The client

/** A client that is given, and answers by itself. */
const fakeClient = (
  methods: Partial<Record<'lookup' | 'commit' | 'runQuery', (request: any, options: CallOptions) => Promise<object>>>,
): DatastoreClient => {
  const call = (method: keyof typeof methods) => async (request: any, options: CallOptions): Promise<any> => [await methods[method]!(request, options)]
  return { lookup: call('lookup'), commit: call('commit'), runQuery: call('runQuery'), close: async () => undefined } as DatastoreClient
}

ava.serial('every call tells the client its deadline, and not to try again by itself, which it would do for ten minutes', async (t) => {
  const told: CallOptions[] = []
  const answer = (answered: object) => async (_: unknown, options: CallOptions): Promise<object> => {
    told.push(options)
    return answered
  }
  const client = fakeClient({
    lookup: answer({ missing: [{}] }), commit: answer({ mutationResults: [{ version: '1' }] }), runQuery: answer({ batch: { entityResults: [] } }),
  })
  const manager = openDatastore(t, { operationTimeout: 50, options: { client, projectId: 'shop' } })
  await manager.get(keyOf('a'))
  await manager.create(keyOf('a'), 'value', Date.now() + HOUR)
  await manager.delete(keyOf('a'))
  await manager.listOwned(keyOf('a'))
  t.is(told.length, 4)
  for (const { timeout, retry } of told) {
    t.is(retry, null)
    t.true(timeout > 0 && timeout <= 45_000, `${timeout} ms`)
  }
})

ava.serial('a client that never answers, throws, or rejects with what is no error, is a StoreError in time', async (t) => {
  const answers: readonly (() => unknown)[] = [
    () => new Promise(() => undefined),
    () => { throw new Error('thrown') },
    () => Promise.reject(new Error('rejected')),
    () => Promise.reject('The client has already been closed.'), // eslint-disable-line prefer-promise-reject-errors
    () => Promise.reject(undefined),
    () => undefined,
  ]
  for (const answer of answers) {
    const client = { lookup: answer, commit: answer, runQuery: answer, close: async () => undefined }
    const manager = openDatastore(t, { operationTimeout: 1, options: { client, projectId: 'shop' } })
    const { ms, error } = await timed(() => manager.get(keyOf('a')))
    t.true(error instanceof StoreError, `${error}`)
    t.true(ms < 10_000)
  }
})

const HOMELESS = { HOME: '/nowhere', GOOGLE_APPLICATION_CREDENTIALS: undefined, METADATA_SERVER_DETECTION: 'none', DATASTORE_EMULATOR_HOST: undefined }

ava.serial('what a client without gRPC says of its sockets is told as what it is: a write may have been done', async (t) => {
  const refuse = async (): Promise<never> => { throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }) }
  const manager = openDatastore(t, { operationTimeout: 0.5, options: { client: fakeClient({ lookup: refuse, commit: refuse }), projectId: 'shop' } })
  t.is((await timed(() => manager.get(keyOf('a')))).error?.code, 'PHIAL_STORE_UNAVAILABLE')
  t.is((await timed(() => manager.create(keyOf('a'), 'value', Date.now() + HOUR))).error?.code, 'PHIAL_STORE_OUTCOME_UNKNOWN')
})

ava.serial('without credentials: a StoreError that is not retryable, each time anew, and no unhandled rejection, which the client makes by itself', async (t) => {
  const ended = await runProgram(`process.on('unhandledRejection', (error) => console.log('unhandled', error.message))` + opening('datastore://shop', 5) + `
    for (let call = 0; call < 2; call++) {
      try { await manager.get('a'.repeat(64)) } catch (error) { console.log(error.code, error.retryable, /credentials/.test(error.cause.message)) }
    }
    await manager.close()`, HOMELESS)
  t.deepEqual(ended, { code: 0, output: 'PHIAL_STORE false true\nPHIAL_STORE false true\n' })
})

ava.serial('credentials that are put in place later are found without a restart', async (t) => {
  const file = join(temporaryDirectory(t), 'key.json')
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048, privateKeyEncoding: { type: 'pkcs8', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  const account = JSON.stringify({ type: 'service_account', client_email: 'x@y.z', private_key: privateKey, project_id: 'shop' })
  const ended = await runProgram(`import { writeFileSync } from 'node:fs'` + opening('https://127.0.0.1:1/shop', 1) + `
    const ask = async () => { try { await manager.get('a'.repeat(64)) } catch (error) { console.log(error.code) } }
    await ask()
    writeFileSync(${JSON.stringify(file)}, ${JSON.stringify(account)})
    await ask()
    await manager.close()`, { ...HOMELESS, GOOGLE_APPLICATION_CREDENTIALS: file })
  t.deepEqual(ended, { code: 0, output: 'PHIAL_STORE\nPHIAL_STORE_UNAVAILABLE\n' })
})

