import ava from 'ava'
import type { ExecutionContext } from 'ava'
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Datastore, v1 } from '@google-cloud/datastore'
import { datastoreBackend } from '../../backends/datastore.js'
import { createManager } from '../../src/index.js'
import { serve } from '../support/app.js'
import { borrowEmulator, freshNamespace, missingEmulator, tellMissing } from '../support/datastore-emulator.js'
import { HOUR, keyOf, openDatastore, opening, openTwo } from '../support/datastore-store.js'
import { temporaryDirectory } from '../support/every-backend.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { SECRET } from '../support/harness.js'
import { runProgram } from '../support/run-program.js'
import { freePorts } from '../support/server-process.js'
import { ScriptedDatastore } from '../support/scripted-datastore.js'

tellMissing('the tests of datastore are')
const test = missingEmulator === undefined ? ava.serial : (ava.serial.skip as unknown as typeof ava.serial) // one at a time: the emulator starts slowly

const google = createRequire(import.meta.url)('@google-cloud/datastore') as { Datastore: typeof Datastore; v1: typeof v1 }

/** Google's own client of the emulator, to look at entities with. */
const rawClient = async (t: ExecutionContext): Promise<Datastore> => {
  const { port } = await borrowEmulator(t)
  const datastore = new google.Datastore({ projectId: 'phial-test', apiEndpoint: `http://127.0.0.1:${port}` })
  t.teardown(() => Promise.all([...(datastore as any).clients_.values()].map((client) => client.close())))
  return datastore
}

const counted = async (t: ExecutionContext): Promise<ScriptedDatastore> => ScriptedDatastore.start(t, (await borrowEmulator(t)).port)

const present = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('expected an answer')
  return value
}

// What is stored

test('a record is an entity: value, version and expiry are in no index, and the hour of its death is', async (t) => {
  const namespace = freshNamespace()
  const manager = openDatastore(t, { url: (await borrowEmulator(t)).url, namespace })
  const at = Date.UTC(2030, 4, 17, 9, 59, 59, 999)
  const version = await manager.create(keyOf('a'), 'x'.repeat(2_000), at)
  const datastore = await rawClient(t)
  const key = datastore.key({ namespace, path: ['PhialSession', keyOf('a')] })
  const [entity] = await datastore.get(key)
  t.deepEqual(Object.fromEntries(Object.entries(entity)), { value: 'x'.repeat(2_000), version, expires: new Date(at), purge: `${keyOf('a')[0]}:2030-05-17T09` })
  const found = async (property: string, value: unknown): Promise<number> =>
    (await datastore.runQuery(datastore.createQuery(namespace, 'PhialSession').filter(new (google as any).PropertyFilter(property, '=', value))))[0].length
  t.is(await found('purge', entity.purge), 1)
  t.is(await found('version', version), 0)
  t.is(await found('expires', new Date(at)), 0)
})

test('namespaces: a plain name is Datastore\'s namespace, any other is hashed, and the two cannot meet', async (t) => {
  const { url } = await borrowEmulator(t)
  const datastore = await rawClient(t)
  const unique = freshNamespace()
  const hashed = openDatastore(t, { url, namespace: `${unique}/ä` })
  present(await hashed.create(keyOf('a'), 'hashed', Date.now() + HOUR))
  const [all] = await datastore.runQuery(datastore.createQuery(undefined as never, '__namespace__').select('__key__'))
  const names = all.map((entity) => entity[datastore.KEY as never]['name'] as string).filter((name) => name.startsWith('sha256.'))
  t.true(names.length > 0)
  for (const name of names) t.is(await openDatastore(t, { url, namespace: name }).get(keyOf('a')), undefined)
  const reserved = openDatastore(t, { url, namespace: `__${unique}__` })
  t.truthy(await reserved.create(keyOf('a'), 'reserved', Date.now() + HOUR))
})

test('another kind is another store, and another database too', async (t) => {
  const { port, url } = await borrowEmulator(t)
  const namespace = freshNamespace()
  const managers = [
    openDatastore(t, { url, namespace }),
    openDatastore(t, { url, namespace, options: { kind: 'Other' } }),
    openDatastore(t, { url: `http://127.0.0.1:${port}/phial-test/other-db`, namespace }),
    openDatastore(t, { url: `http://127.0.0.1:${port}/another-project`, namespace }),
  ]
  for (const [index, manager] of managers.entries()) t.truthy(await manager.create(keyOf('a'), `${index}`, Date.now() + HOUR))
  for (const [index, manager] of managers.entries()) t.is((await manager.get(keyOf('a')))?.value, `${index}`)
})

// Calls

test('reading is one call, and a touch that is due one more', async (t) => {
  const scripted = await counted(t)
  const manager = openDatastore(t, { url: scripted.url, namespace: freshNamespace() })
  const key = keyOf('a')
  t.is(await manager.get(key), undefined)
  t.deepEqual(scripted.taken(), ['lookup'])
  present(await manager.create(key, 'value', Date.now() + HOUR))
  t.deepEqual(scripted.taken(), ['commit'])
  t.is((await manager.get(key, { expiresAt: Date.now() + 2 * HOUR, ifBefore: Date.now() }))?.touched, false)
  t.deepEqual(scripted.taken(), ['lookup'])
  t.is((await manager.get(key, { expiresAt: Date.now() + 2 * HOUR, ifBefore: Date.now() + 2 * HOUR }))?.touched, true)
  t.deepEqual(scripted.taken(), ['lookup', 'commit'])
})

test('writing what was read, written or touched here is one call; what another has read, two', async (t) => {
  const scripted = await counted(t)
  const [one, other] = openTwo(t, { url: scripted.url, namespace: 'calls' })
  const key = keyOf(freshNamespace())
  const later = Date.now() + HOUR
  let version = present(await one.create(key, '1', later))
  version = present(await one.replace(key, '2', version, later))
  await one.get(key, { expiresAt: later + 1, ifBefore: later + 1 })
  version = present(await one.replace(key, '3', version, later))
  t.deepEqual(scripted.taken(), ['commit', 'commit', 'lookup', 'commit', 'commit'])
  version = present(await other.replace(key, '4', version, later))
  t.deepEqual(scripted.taken(), ['lookup', 'commit'])
  t.true(await other.delete(key, version))
  await other.delete(key)
  t.deepEqual(scripted.taken(), ['commit', 'commit'])
})

test('a writer whose record was touched meanwhile tries again by itself; one whose record was written does not', async (t) => {
  const scripted = await counted(t)
  const [writer, reader] = openTwo(t, { url: scripted.url, namespace: 'touches' })
  const key = keyOf(freshNamespace())
  const later = Date.now() + HOUR
  const version = present(await writer.create(key, 'one', later))
  t.true(await reader.touch(key, later + 1_000))
  t.is((await reader.get(key, { expiresAt: later + 2_000, ifBefore: later + 2_000 }))?.version, version)
  scripted.taken()
  const next = present(await writer.replace(key, 'two', version, later))
  t.deepEqual(scripted.taken(), ['commit', 'lookup', 'commit'])
  present(await reader.replace(key, 'three', next, later))
  scripted.taken()
  t.is(await writer.replace(key, 'late', next, later), undefined)
  t.deepEqual(scripted.taken(), ['commit', 'lookup'])
  t.is((await reader.get(key))?.value, 'three')
  t.false(await writer.delete(key, next))
})

test('a record that was to end, as this process knows it, and that another has touched, is alive for both', async (t) => {
  const { url } = await borrowEmulator(t)
  const namespace = freshNamespace()
  let now = Date.now()
  const [writer, reader] = openTwo(t, { url, namespace, now: () => now })
  for (const label of ['a', 'b']) {
    const version = present(await writer.create(keyOf(label), 'one', now + 1_000))
    t.true(await reader.touch(keyOf(label), now + HOUR))
    now += 2_000
    if (label === 'a') t.truthy(await writer.replace(keyOf(label), 'two', version, now + HOUR))
    else t.true(await writer.delete(keyOf(label), version))
  }
})

test('a touch that meets a newer record undoes nothing, and the read stands', async (t) => {
  const scripted = await counted(t)
  const namespace = freshNamespace()
  const [reader, writer] = openTwo(t, { url: scripted.url, namespace })
  const key = keyOf('a')
  const later = Date.now() + HOUR
  const version = present(await writer.create(key, 'old', later))
  scripted.next('commit', async (forward) => {
    present(await writer.replace(key, 'new', version, later))
    return forward()
  })
  const record = await reader.get(key, { expiresAt: later + 1_000, ifBefore: later + 1_000 })
  t.deepEqual([record?.value, record?.touched], ['old', false])
  t.is((await reader.get(key))?.value, 'new')
  scripted.next('commit', async (forward) => {
    await writer.delete(key)
    return forward()
  })
  t.is((await reader.get(key, { expiresAt: later + 1_000, ifBefore: later + 1_000 }))?.touched, false)
  t.is(await reader.get(key), undefined)
})

test('an owner\'s entry that lasts is looked at in one call, a new one takes two', async (t) => {
  const scripted = await counted(t)
  let now = Date.now()
  const manager = openDatastore(t, { url: scripted.url, namespace: freshNamespace(), now: () => now })
  const [owner, key] = [keyOf('owner'), keyOf('a')]
  await manager.addOwned(owner, key, now + HOUR)
  t.deepEqual(scripted.taken(), ['lookup', 'commit'])
  now += HOUR / 4
  await manager.addOwned(owner, key, now + HOUR)
  t.deepEqual(scripted.taken(), ['lookup'])
  now += HOUR / 4
  await manager.addOwned(owner, key, now + HOUR)
  t.deepEqual(scripted.taken(), ['lookup', 'commit'])
  for (let call = 0; call < 2; call++) await manager.addOwned(owner, key, Infinity)
  t.deepEqual(scripted.taken(), ['lookup', 'commit', 'lookup'])
  await manager.removeOwned(owner, key)
  t.deepEqual(await manager.listOwned(owner), [])
  t.deepEqual(scripted.taken(), ['commit', 'runQuery'])
})

test('more entries of an owner than a page holds are all listed', async (t) => {
  const manager = openDatastore(t, { url: (await borrowEmulator(t)).url, namespace: freshNamespace() })
  const keys = Array.from({ length: 230 }, (_, index) => keyOf(`${index}`)).toSorted()
  await Promise.all(keys.map((key) => manager.addOwned(keyOf('owner'), key, Date.now() + HOUR)))
  t.deepEqual((await manager.listOwned(keyOf('owner'))).toSorted(), keys)
})

test('HTTP: untouched and unknown visitors cost no call; reading one, with a touch that is due two; reading and saving two', async (t) => {
  const scripted = await counted(t)
  let now = Date.now()
  const app = await serve(t, async (req, res) => {
    const [, verb, name = ''] = req.url!.split('/')
    if (verb === 'untouched') return void res.end()
    const session = await req.session.load()
    if (verb === 'save') await session.set('at', now + Math.random()).save()
    if (verb === 'add') await session.update('n', (n = 0) => n + 1)
    if (verb === 'login') {
      session.owner = name
      await session.save()
    }
    if (verb === 'logout') await session.destroy()
    res.end()
  }, { type: 'datastore', url: scripted.url, namespace: freshNamespace(), now: () => now, operationTimeout: 60, requestBudget: 90 })
  const browser = app.client()
  const cost = async (path: string, by = browser): Promise<string> => {
    scripted.taken()
    t.is((await by.get(path)).status, 200, path)
    return scripted.taken().join(' ')
  }
  t.is(await cost('/untouched'), '')
  t.is(await cost('/read'), '')
  t.is(await cost('/save'), 'commit')
  t.is(await cost('/untouched'), '')
  t.is(await cost('/read'), 'lookup')
  t.is(await cost('/save'), 'lookup commit')
  t.is(await cost('/add'), 'lookup commit')
  now += 61_000
  t.is(await cost('/read'), 'lookup commit')
  t.is(await cost('/read'), 'lookup')
  now += 61_000
  t.is(await cost('/save'), 'lookup commit commit')
  const forger = app.client()
  await forger.jar.setCookie('phial=forged; Path=/', app.url)
  t.is(await cost('/read', forger), '')
  await cost('/login/ann')
  t.is(await cost('/read'), 'lookup lookup', 'with an owner: their generation, too')
  t.is((await cost('/save')).replaceAll(/lookup /g, ''), 'commit') // what is looked at beside it is the library's matter
})

// Purging

test('purgeExpired: more than a page of dead records goes, entries and leases that are over too, and what lives stays', async (t) => {
  let now = Date.UTC(2030, 0, 1, 11, 50)
  const scripted = await counted(t)
  const manager = openDatastore(t, { url: scripted.url, namespace: freshNamespace(), now: () => now })
  // All under one digit, and so in one search.
  const labels = Array.from({ length: 5_000 }, (_, index) => `${index}`).filter((label) => keyOf(label).startsWith('a')).slice(0, 230)
  await Promise.all(labels.map((label, index) => manager.create(keyOf(label), 'value', now + (index < 220 ? 1_000 : HOUR))))
  await manager.addOwned(keyOf('owner'), keyOf('a'), now + 1_000)
  await manager.addOwned(keyOf('owner'), keyOf('b'), now + 12 * HOUR)
  present(await manager.lock(keyOf('a'), 1_000, now))
  now += 30_000
  t.is(await manager.purgeExpired(), 0) // dead for less than a minute: clocks differ
  now += 4 * 60_000
  scripted.taken()
  t.is(await manager.purgeExpired(), 220)
  t.true(scripted.taken().length < 65)
  const left: string[] = []
  for await (const key of manager.keys()) left.push(key)
  t.deepEqual(left, labels.slice(220).map(keyOf).toSorted())
  t.deepEqual(await manager.listOwned(keyOf('owner')), [keyOf('b')])
  t.truthy(await manager.get(keyOf(labels[229]!)))
  now += 3 * HOUR
  t.is(await manager.purgeExpired(), 10)
})

test('purgeExpired: a record that is renewed while it is looked at stays', async (t) => {
  let now = Date.UTC(2030, 0, 1)
  const scripted = await counted(t)
  const namespace = freshNamespace()
  const manager = openDatastore(t, { url: scripted.url, namespace, now: () => now })
  const slow = openDatastore(t, { url: (await borrowEmulator(t)).url, namespace, now: () => Date.UTC(2030, 0, 1) }) // whose clock is behind
  present(await manager.create(keyOf('a'), 'value', now + 1_000))
  present(await manager.create(keyOf('b'), 'value', now + 1_000))
  now += HOUR
  for (const label of ['a', 'b'].toSorted((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1))) {
    scripted.next('commit', async (forward) => {
      t.true(await slow.touch(keyOf(label), now + HOUR))
      return forward()
    })
  }
  t.is(await manager.purgeExpired(), 0)
  t.is(scripted.left, 0)
  for (const label of ['a', 'b']) t.is((await manager.get(keyOf(label)))?.value, 'value')
})

// Clients

test('a v1.DatastoreClient or a Datastore may be given, is used, and is not closed', async (t) => {
  const { port } = await borrowEmulator(t)
  const datastore = await rawClient(t)
  const low = new google.v1.DatastoreClient({ ...(datastore as any).options, fallback: false })
  t.teardown(() => low.close())
  for (const client of [low, datastore]) {
    const datastoreOptions = { type: 'datastore', datastore: { client, kind: 'Given' }, namespace: freshNamespace() }
    const sessions = createManager({ ...datastoreOptions, secret: SECRET, operationTimeout: 60, requestBudget: 60 })
    const session = await sessions.create()
    await session.set('a', 1).save()
    t.is((await sessions.getById(session.id))?.get('a'), 1)
    await sessions.close()
  }
  t.is((await datastore.get(datastore.key(['Given', 'x'])))[0], undefined)
  await t.notThrowsAsync(low.lookup({ projectId: 'phial-test', keys: [{ path: [{ kind: 'Given', name: 'x' }] }] }))
  t.true(port > 0)
})

ava.serial('what can be seen to be wrong is told at start, naming the option', (t) => {
  const open = (options: object, url?: string): unknown =>
    datastoreBackend.open({ namespace: 'test', now: Date.now, url, maxBytes: 1, sealer: undefined as never, options: { kind: 'PhialSession', ...options } })
  const file = join(temporaryDirectory(t), 'key.json')
  writeFileSync(file, '{"private_key": hunter2')
  const faults: readonly (readonly [object, string, string?])[] = [
    [{ kind: '' }, 'datastore.kind'],
    [{ kind: '__kind__' }, 'datastore.kind'],
    [{ kind: 'a b' }, 'datastore.kind'],
    [{ client: {} }, 'datastore.client'],
    [{ client: { lookup() {}, commit() {}, runQuery() {} } }, 'url', 'datastore://shop'],
    [{ keyFilename: '/nowhere/key.json' }, 'datastore.key_filename'],
    [{ keyFilename: file }, 'datastore.key_filename'],
    [{}, 'url', 'https://hunter2@shop'],
  ]
  for (const [options, setting, url] of faults) {
    const error = t.throws(() => open(options, url), { code: 'PHIAL_CONFIG' })
    t.is((error as unknown as { setting: string }).setting, setting)
    t.notRegex(String(error.stack), /hunter2/)
  }
})

const opened = (url: string, then: string): string => opening(url, 30) + then

test('an idle connection keeps no process alive, whether it was closed or not, used or not', async (t) => {
  const { url } = await borrowEmulator(t)
  const said = `console.log(JSON.stringify(await manager.get('${keyOf('none')}') ?? 'missing'))`
  for (const [then, output] of [[said, '"missing"\n'], [`${said}\nawait manager.close()`, '"missing"\n'], ['', ''], ['await manager.close()', '']] as const) {
    t.deepEqual(await runProgram(opened(url, then)), { code: 0, output })
  }
  const [closed] = await freePorts(1)
  t.deepEqual(await runProgram(opened(`http://127.0.0.1:${closed}/phial-test`, '')), { code: 0, output: '' })
})

test('with an emulator nobody asks for Google\'s metadata server, and nothing is printed', async (t) => {
  const { url } = await borrowEmulator(t)
  const { METADATA_SERVER_DETECTION: _, ...env } = process.env
  const watch = `
    import { channel } from 'node:diagnostics_channel'
    import dns from 'node:dns'
    const lookup = dns.lookup
    dns.lookup = (host, ...rest) => { console.log('looked up', host); return lookup(host, ...rest) }
    channel('http.client.request.start').subscribe(({ request }) => console.log('asked', request.host))`
  const ended = await runProgram(watch + opened(url, `await manager.get('${keyOf('none')}')`), { ...env, METADATA_SERVER_DETECTION: undefined })
  t.deepEqual([ended.code, ended.output], [0, ''])
})

test('close() ends all connections, waits for what is under way, and may be called at once and twice', async (t) => {
  const { port } = await borrowEmulator(t)
  const proxy = await FaultProxy.start(port)
  t.teardown(() => proxy.close())
  const manager = openDatastore(t, { url: `http://127.0.0.1:${proxy.port}/phial-test`, namespace: freshNamespace() })
  const creating = manager.create(keyOf('a'), 'value', Date.now() + HOUR)
  await Promise.all([manager.close(), manager.close()])
  t.is(typeof (await creating), 'string')
  for (const end = performance.now() + 5_000; proxy.connections > 0 && performance.now() < end;) await sleep(10)
  t.is(proxy.connections, 0)
})

test('a client that is replaced because its connection hangs does not connect again when it is closed', async (t) => {
  const { port } = await borrowEmulator(t)
  const proxy = await FaultProxy.start(port)
  t.teardown(() => proxy.close())
  await proxy.set({ kind: 'truncate', direction: 'reply', after: 0 })
  const manager = openDatastore(t, { url: `http://127.0.0.1:${proxy.port}/phial-test`, namespace: freshNamespace() })
  t.is(await manager.get(keyOf('a')), undefined)
  await manager.close()
  for (const end = performance.now() + 5_000; proxy.connections > 1 && performance.now() < end;) await sleep(10)
  t.is(proxy.connections, 1, 'the one that gRPC could not finish, and leaves open')
})
