import test, { type ExecutionContext } from 'ava'
import { readFileSync } from 'node:fs'
import type { FileManager } from '../../backends/file/file-manager.js'
import { FileProcess, works } from '../support/file-process.js'
import { contentsOf, inAnHour, isFreeAtOnce, keyOf, newStore, recordPath } from '../support/file-store.js'

/** Everything by which the store changes the disk; the names differ between processors. */
const calls: Record<string, string> = {
  mkdir: '?mkdir,mkdirat',
  rename: '?rename,?renameat,renameat2',
  link: '?link,linkat',
  'unlink and rmdir': '?unlink,?rmdir,unlinkat',
  fsync: 'fsync',
  utimensat: 'utimensat'
}

const names = ['created', 'replaced', 'touched', 'deleted', 'neighbour']

interface Prepared {
  readonly store: FileManager
  readonly data: string
  readonly version: string
}

const prepare = async (t: ExecutionContext): Promise<Prepared> => {
  const { store, data } = newStore(t)
  await store.create(keyOf('created'), 'made so that its directory is there', inAnHour())
  await store.delete(keyOf('created'))
  for (const name of ['touched', 'deleted', 'neighbour']) await store.create(keyOf(name), 'old', inAnHour())
  return { store, data, version: (await store.create(keyOf('replaced'), 'old', inAnHour())) ?? '' }
}

const traced = (log: string, names: string, injection: string): string[] =>
  ['strace', '-f', '-qq', '-o', log, '-e', `trace=${names}`, '-e', `inject=${names}:${injection}`]

interface Trial extends Prepared {
  readonly child: FileProcess
  readonly what: string
}

/** Tries the fault at the first such call of the scenario, the second, and so on, until the scenario has no such call. */
const atEach = async (t: ExecutionContext, syscalls: string, fault: string, trial: (trial: Trial) => Promise<unknown>): Promise<void> => {
  for (let nth = 1; ; nth++) {
    const prepared = await prepare(t)
    const log = `${prepared.data}.log`
    const wrapper = traced(log, syscalls, `${fault}:when=${nth}`)
    const child = new FileProcess(t, prepared.data, { sync: true, wrapper, env: { UV_THREADPOOL_SIZE: '1' } })
    const outcome = await trial({ ...prepared, child, what: `${fault} ${nth}` })
    await child.kill()
    await isSound(t, prepared, `${fault} ${nth}`)
    if (outcome !== 'killed' && !readFileSync(log, 'utf8').includes('(INJECTED)')) {
      t.true(nth > 1)
      return
    }
  }
}

const values = async (store: FileManager): Promise<(string | undefined)[]> =>
  Promise.all(names.map(async name => (await store.get(keyOf(name)))?.value))

/** Each record is whole, old or new; all can be written at once; and nothing is left but records. */
const isSound = async (t: ExecutionContext, { store, data }: Prepared, what: string): Promise<void> => {
  const [created, replaced, touched, deleted, neighbour] = await values(store)
  t.true(created === undefined || created === 'new', what)
  t.true(replaced === 'old' || replaced === 'new', what)
  t.is(touched, 'old', what)
  t.true(deleted === undefined || deleted === 'old', what)
  t.is(neighbour, 'old', what)
  for (const name of names) {
    t.true(await isFreeAtOnce(recordPath(data, keyOf(name))), what)
    await store.delete(keyOf(name))
    t.not(await store.create(keyOf(name), 'after', inAnHour()), undefined, what)
  }
  await store.purgeExpired()
  t.deepEqual(contentsOf(data).filter(path => !/\/[0-9a-f]{2}(\/[0-9a-f]{64})?$/.test(path)), [], what)
}

const testTraced = works('strace', '-f', 'true') ? test : test.skip

for (const [name, syscalls] of Object.entries(calls)) {
  testTraced(`F01: killed at any ${name}, a process leaves whole records and no lasting lock (needs strace)`, async t => {
    await atEach(t, syscalls, 'signal=KILL', async ({ child, version }) => {
      return child.call('scenario', version).catch(() => 'killed')
    })
  })

  testTraced(`F05: an error of any ${name} is typed, and leaves whole records (needs strace)`, async t => {
    await atEach(t, syscalls, 'error=EIO', async ({ child, store, version, what }) => {
      const outcomes = Object.entries(await child.call<Record<string, unknown>>('scenario', version))
      const failed = outcomes.filter(([, outcome]) => outcome !== 'done')
      t.true(failed.length <= 2, what) // strace counts for each thread: this one's calls, and the pool's while the disk is slow
      for (const [operation, outcome] of failed) t.like(outcome, { code: 'PHIAL_STORE', operation, retryable: false, cause: 'EIO' }, what)
      const [created, replaced, , deleted] = await values(store)
      const done = outcomes.filter(([, outcome]) => outcome === 'done').map(([operation]) => operation)
      if (done.includes('create')) t.is(created, 'new', what)
      if (done.includes('replace')) t.is(replaced, 'new', what)
      if (done.includes('delete')) t.is(deleted, undefined, what)
    })
  })
}

testTraced('F05: what could not be synced is not saved (needs strace)', async t => {
  const prepared = await prepare(t)
  const child = new FileProcess(t, prepared.data, { sync: true, wrapper: traced('/dev/null', 'fsync', 'error=EIO') })
  t.like(await child.call('scenario', prepared.version), {
    create: { cause: 'EIO', operation: 'create' },
    replace: { cause: 'EIO', operation: 'replace' },
    touch: 'done',
    delete: { cause: 'EIO', operation: 'delete' }
  })
  t.deepEqual((await values(prepared.store)).slice(0, 2), [undefined, 'old'])
})

testTraced('a file system without hard links keeps records all the same (needs strace)', async t => {
  const prepared = await prepare(t)
  const child = new FileProcess(t, prepared.data, { sync: true, wrapper: traced('/dev/null', calls['link'] ?? '', 'error=EPERM') })
  t.deepEqual(await child.call('scenario', prepared.version), { create: 'done', replace: 'done', touch: 'done', delete: 'done' })
  t.is(await child.call('create', keyOf('created'), 'again', inAnHour()), undefined)
  await child.kill()
  t.deepEqual((await values(prepared.store)).slice(0, 2), ['new', 'new'])
  await isSound(t, prepared, 'without links')
})

testTraced('F15: a stale handle is read once more (needs strace)', async t => {
  const { store, data } = await prepare(t)
  const reading = (error: string): string[] => [...traced('/dev/null', 'pread64', error), '-P', recordPath(data, keyOf('neighbour'))]
  const env = { UV_THREADPOOL_SIZE: '1' } // strace counts for each thread
  const once = new FileProcess(t, data, { wrapper: reading('error=ESTALE:when=1'), env })
  t.like(await once.call('get', keyOf('neighbour')), { value: 'old' })
  const always = new FileProcess(t, data, { wrapper: reading('error=ESTALE') })
  t.like(await always.failure('get', keyOf('neighbour')), { code: 'PHIAL_STORE_UNAVAILABLE', retryable: true })
  t.is((await store.get(keyOf('neighbour')))?.value, 'old')
})

testTraced('F06: over its quota a save fails as unavailable (needs strace)', async t => {
  const prepared = await prepare(t)
  const child = new FileProcess(t, prepared.data, { sync: true, wrapper: traced('/dev/null', 'fsync', 'error=EDQUOT:when=1') })
  const error = await child.failure('replace', keyOf('replaced'), 'new', prepared.version, inAnHour())
  t.like(error, { code: 'PHIAL_STORE_UNAVAILABLE', operation: 'replace', retryable: true })
  t.regex(error.message, /EDQUOT/)
  t.is((await prepared.store.get(keyOf('replaced')))?.value, 'old')
})

testTraced('each write is synced, and the directory after it; a touch is not (needs strace)', async t => {
  const prepared = await prepare(t)
  const synced = async (sync: boolean, method: string, ...args: unknown[]): Promise<number> => {
    const log = `${prepared.data}.log`
    const wrapper = ['strace', '-f', '-qq', '-o', log, '-e', 'trace=fsync', '-e', 'signal=none']
    const child = new FileProcess(t, prepared.data, { sync, wrapper })
    await child.call(method, ...args)
    await child.kill()
    return readFileSync(log, 'utf8').match(/fsync\(/g)?.length ?? 0
  }
  const { store } = prepared
  t.is(await synced(true, 'create', keyOf('created'), 'new', inAnHour()), 2)
  t.is(await synced(true, 'replace', keyOf('replaced'), 'new', prepared.version, inAnHour()), 2)
  t.is(await synced(true, 'touch', keyOf('touched'), inAnHour()), 0)
  t.is(await synced(true, 'delete', keyOf('deleted')), 1)
  t.is(await synced(false, 'create', keyOf('deleted'), 'new', inAnHour()), 0)
  await store.addOwned(keyOf('owner'), keyOf('touched'), inAnHour())
  t.is(await synced(true, 'addOwned', keyOf('owner'), keyOf('touched'), inAnHour() + 60_000), 1)
})
