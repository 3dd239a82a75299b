import { spawnSync } from 'node:child_process'
import test from 'ava'
import { observe, WritePromise, writePromise } from '../src/write-promise.js'
import { turn } from './support/gated-server.js'

const failure = new Error('not stored')
const failing = (): WritePromise<never> => writePromise(() => Promise.reject(failure))

test('it is not taken as long as nobody asks for its outcome', async (t) => {
  const promise = failing()
  await turn()
  t.false(promise.taken)
})

const takers: [name: string, take: (promise: WritePromise<never>) => Promise<unknown>][] = [
  ['await', async (promise) => { await promise }],
  ['then', (promise) => promise.then(() => {})],
  ['catch', (promise) => promise.catch(() => {})],
  ['finally', (promise) => promise.finally(() => {})],
  ['return from an async function', async (promise) => promise],
  ['Promise.all', (promise) => Promise.all([promise, failing()])],
  ['Promise.allSettled', (promise) => Promise.allSettled([promise])],
  ['Promise.race', (promise) => Promise.race([promise, new Promise(() => {})])],
  ['Promise.any', (promise) => Promise.any([promise, failing()])],
  ['Promise.resolve', (promise) => Promise.resolve(promise)]
]

for (const [name, take] of takers) {
  test(`${name} takes it`, async (t) => {
    const promise = failing()
    await take(promise).catch(() => {})
    t.true(promise.taken)
  })
}

test('what comes of then is a plain promise', (t) => {
  const next = failing().catch(() => {})
  t.is(Object.getPrototypeOf(next), Promise.prototype)
})

test('it is a promise, and resolves to what the work gives', async (t) => {
  const promise = writePromise(async () => 7)
  t.true(promise instanceof Promise)
  t.is(await promise, 7)
})

test('whoever takes the failure is handed it', async (t) => {
  t.is(await t.throwsAsync(failing()), failure)
})

test('what the work throws at once rejects the promise', async (t) => {
  const promise = writePromise(() => { throw failure })
  t.is(await t.throwsAsync(promise), failure)
})

test('work that gives a write promise takes that one', async (t) => {
  const inner = failing()
  const outer = writePromise(() => inner)
  await turn()
  t.true(inner.taken)
  t.false(outer.taken)
})

test('an observer is told, and takes nothing', async (t) => {
  const told: unknown[] = []
  const rejected = failing()
  const resolved = writePromise(async () => {})
  observe(rejected, () => told.push('resolved'), (reason) => told.push(reason))
  observe(resolved, () => told.push('resolved'), (reason) => told.push(reason))
  await turn()
  t.deepEqual(new Set(told), new Set([failure, 'resolved']))
  t.false(rejected.taken)
  t.false(resolved.taken)
})

const run = (body: string): { status: number | null; stdout: string } => {
  const path = new URL('../src/write-promise.js', import.meta.url)
  const script = `import { writePromise } from '${path.href}'\n${body}\nsetTimeout(() => console.log('alive'), 20)`
  return spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' })
}

test('a failure that nobody takes does not end the process', (t) => {
  const { status, stdout } = run(`writePromise(async () => { throw new Error('lost') })`)
  t.is(status, 0)
  t.is(stdout, 'alive\n')
})

test('a failure that was taken and let go ends the process, as any does', (t) => {
  const { status } = run(`writePromise(async () => { throw new Error('lost') }).catch((error) => { throw error })`)
  t.is(status, 1)
})

test('what only passes the failure on does not take it: then it is taken where that is', async (t) => {
  for (const passOn of [(promise: Promise<unknown>) => promise.then(() => {}), (promise: Promise<unknown>) => promise.finally(() => {})]) {
    const promise = writePromise(async () => { throw new Error('lost') })
    const next = passOn(promise)
    await new Promise(setImmediate)
    t.false(promise.taken)
    await t.throwsAsync(passOn(next), { message: 'lost' })
    t.true(promise.taken)
  }
  const { status } = run(`writePromise(async () => { throw new Error('lost') }).then(() => {}).finally(() => {})`)
  t.is(status, 0)
})
