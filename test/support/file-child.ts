// A process that uses a file store as its parent tells it to, by messages: `{ id, method, args }` → `{ id, value }` or `{ id, error }`.
import { spawnSync } from 'node:child_process'
import { closeSync, openSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import type { SessionError, StoreError } from '../../src/errors.js'
import { inAnHour, keyOf, openStore } from './file-store.js'

const [, , directory = '', sync = ''] = process.argv

let nextCheck: (() => void) | undefined

/** The store asks for the time when it has the lock and has read the record: just before it changes it. */
const now = (): number => {
  const act = nextCheck
  nextCheck = undefined
  act?.()
  return Date.now()
}

const reallyExit = (): unknown => (process as unknown as { reallyExit: unknown }).reallyExit
const originalEmit = process.emit
const originalReallyExit = reallyExit()

let store = openStore(directory, { now, sync: sync === 'sync' })
const descriptors: number[] = []

const commands: Record<string, (...args: never[]) => unknown> = {
  signalInNextCheck(signal: NodeJS.Signals) {
    nextCheck = () => process.kill(process.pid, signal)
  },
  listenerCounts: () => ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2', 'exit'].map(name => process.listenerCount(name)),
  isPatched: () => process.emit !== originalEmit || reallyExit() !== originalReallyExit,
  reopen: () => void (store = openStore(directory, { now, sync: sync === 'sync' })),
  umask: (mask: number) => process.umask(mask),
  exhaustDescriptors() {
    for (;;) {
      try {
        descriptors.push(openSync('/dev/null', 'r'))
      } catch {
        return descriptors.length
      }
    }
  },
  freeDescriptors: () => descriptors.splice(0).forEach(descriptor => closeSync(descriptor)),
  fillDisk(path: string) {
    const { bavail, bsize } = statfsSync(path)
    writeFileSync(`${path}/filler`, Buffer.alloc(bavail * bsize))
  },
  fillInodes(path: string) {
    try {
      for (let n = 0; ; n++) writeFileSync(`${path}/filler${n}`, '')
    } catch {
      return undefined
    }
  },
  emptyDisk: (path: string) => rmSync(`${path}/filler`),
  run: (command: string, ...args: string[]) => spawnSync(command, args).status,
  list: (path: string) => readdirSync(path, { recursive: true }),
  /** Reads, adds one and writes until that succeeds, so many times. */
  async increment(key: string, times: number) {
    for (let done = 0; done < times; ) {
      const record = await store.get(key)
      if (record === undefined) throw new Error('the counter is gone')
      if ((await store.replace(key, String(Number(record.value) + 1), record.version, inAnHour())) !== undefined) done++
    }
  },
  /** Saves one record for ever, telling each number that was acknowledged, and makes and removes others beside it. */
  async saveForEver(key: string, padding: number) {
    for (let count = 0; ; count++) {
      const record = await store.get(key)
      const next = record === undefined ? 1 : Number(record.value.split(' ')[0]) + 1
      const value = `${next} ${'x'.repeat(padding)}`
      const written = record === undefined ? store.create(key, value, inAnHour()) : store.replace(key, value, record.version, inAnHour())
      if ((await written) !== undefined) process.send?.({ acknowledged: next })
      const other = keyOf(`${process.pid} ${count % 5}`)
      await (count % 10 < 5 ? store.create(other, 'other', inAnHour()) : store.delete(other))
    }
  }
}

/** Each kind of write once, on records that stand apart; tells what became of each. */
const scenario = async (version: string): Promise<object> => {
  const outcomes: Record<string, unknown> = {}
  const steps: Record<string, () => Promise<unknown>> = {
    create: () => store.create(keyOf('created'), 'new', inAnHour()),
    replace: () => store.replace(keyOf('replaced'), 'new', version, inAnHour()),
    touch: () => store.touch(keyOf('touched'), inAnHour()),
    delete: () => store.delete(keyOf('deleted'))
  }
  for (const [name, step] of Object.entries(steps)) outcomes[name] = await step().then(() => 'done', describe)
  return outcomes
}
commands.scenario = scenario

const describe = (error: SessionError & Partial<StoreError>): object => ({
  name: error.name,
  code: error.code,
  message: error.message,
  operation: error.operation,
  retryable: error.retryable,
  cause: (error.cause as NodeJS.ErrnoException | undefined)?.code
})

const call = (method: string, args: never[]): unknown => {
  const target = method in commands ? commands : (store as unknown as typeof commands)
  return target[method]?.(...args)
}

process.on('message', async ({ id, method, args }: { id: number; method: string; args: never[] }) => {
  try {
    process.send?.({ id, value: await call(method, args) })
  } catch (error) {
    process.send?.({ id, error: describe(error as SessionError) })
  }
})
process.on('disconnect', () => process.exit())
process.send?.({ ready: process.pid })
