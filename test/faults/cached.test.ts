import anyTest from 'ava'
import type { ExecutionContext } from 'ava'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SettingsInput } from '../../src/index.js'
import { clientOf } from '../support/app.js'
import type { Client } from '../support/app.js'
import { at, startApp } from '../support/app-process.js'
import type { AppProcess } from '../support/app-process.js'
import { temporaryDirectory } from '../support/every-backend.js'
import { freshNamespace, hasMemcached, proxyTo, startMemcached } from '../support/memcache-store.js'
import type { MemcachedServer } from '../support/memcached-server.js'

// Files behind a real memcached, in two processes. One test after the other: how long an answer takes is part of what is asserted.
const test = hasMemcached() ? anyTest.serial : anyTest.serial.skip

const TTL = 4

/** A process with the sessions of a directory, behind a memcached at this port. */
const start = (t: ExecutionContext, dataDir: string, namespace: string, port: number): Promise<AppProcess> => {
  const front: SettingsInput = { type: 'memcache', url: `memcache://127.0.0.1:${port}` }
  return startApp(t, { type: 'file', dataDir, namespace, cache: 'front', cacheTtl: TTL, backends: { front } as never })
}

interface Scene {
  readonly memcached: MemcachedServer
  readonly one: AppProcess
  readonly other: AppProcess
  /** Has a session, of which the cache has a copy. */
  readonly browser: Client
}

/** `ports`: where each process finds the memcached. */
const scene = async (t: ExecutionContext, memcached: MemcachedServer, ports = [memcached.port, memcached.port]): Promise<Scene> => {
  t.timeout(120_000)
  const [dataDir, namespace] = [temporaryDirectory(t), freshNamespace()]
  const [one, other] = await Promise.all(ports.map((port) => start(t, dataDir, namespace, port))) as [AppProcess, AppProcess]
  const browser = clientOf(one.url)
  await warm(one, other, browser)
  return { memcached, one, other, browser }
}

const warm = async (one: AppProcess, other: AppProcess, browser: Client): Promise<void> => {
  await at(one, browser).get('/login/ann')
  for (const process of [one, other, one, other]) await at(process, browser).text('/')
}

interface Answer {
  readonly status: number
  readonly text: string
  readonly ms: number
}

const ask = async (process: AppProcess, browser: Client, path: string): Promise<Answer> => {
  const since = performance.now()
  const response = await at(process, browser).get(path)
  return { status: response.status, text: await response.text(), ms: performance.now() - since }
}

/** Tries every 20 ms until it is answered with 200: how many milliseconds that took. */
const timeToSuccess = async (process: AppProcess, browser: () => Client | Promise<Client>, path: string): Promise<number> => {
  const since = performance.now()
  while ((await ask(process, await browser(), path)).status !== 200) {
    if (performance.now() - since > 20_000) throw new Error(`${path}: no success within 20 s`)
    await sleep(20)
  }
  return performance.now() - since
}

/** What a busy machine adds to a promise; whoever waited for the cache as for a store would wait for 10 s. */
const SLACK = 4_000

test('L01, L02, L03, L06: memcached is killed and comes back', async (t) => {
  const { memcached, one, other, browser } = await scene(t, await startMemcached(t))
  await memcached.kill()
  for (let index = 0; index < 10; index++) {
    const saved = await ask(one, browser, `/set/k${index}`)
    t.is(saved.status, 200)
    t.true(saved.ms < SLACK, `${saved.ms} ms`)
    t.is((await ask(other, browser, '/')).text, saved.text)
  }
  const renewed = await ask(one, browser, '/renew')
  t.is(renewed.status, 503)
  t.is(Object.keys(JSON.parse((await ask(one, browser, '/')).text)).length, 10)

  const thief = clientOf(one.url, browser.jar.cloneSync()!)
  const ended = await ask(one, browser, '/logout')
  t.is(ended.status, 503)
  t.true(ended.ms < 1_000 + SLACK, `${ended.ms} ms`)
  for (const process of [one, other]) t.is((await ask(process, thief, '/')).text, '{}')

  await memcached.start()
  const healed = await timeToSuccess(one, async () => {
    const next = clientOf(one.url)
    await at(one, next).get('/set/a')
    return next
  }, '/logout')
  t.true(healed < 2_000 + SLACK, `${healed} ms`)
  t.log(`log-out: ${ended.status} after ${Math.round(ended.ms)} ms; the first that succeeds ${Math.round(healed)} ms after memcached is back`)
})

test('L05, L06: memcached hangs and wakes', async (t) => {
  const { memcached, one, browser } = await scene(t, await startMemcached(t))
  await memcached.hang()
  const times: number[] = []
  for (let index = 0; index < 40; index++) {
    const answer = await ask(one, browser, index % 2 ? '/' : '/add')
    t.is(answer.status, 200)
    times.push(answer.ms)
  }
  const whole = times.reduce((sum, ms) => sum + ms)
  t.true(whole < 30_000, `${whole} ms`) // 400,000 if the cache were waited for as a store is
  const ended = await ask(one, clientOf(one.url, browser.jar.cloneSync()!), '/renew')
  t.is(ended.status, 503)
  memcached.wake()
  const healed = await timeToSuccess(one, () => browser, '/renew')
  t.true(healed < 2_000 + SLACK, `${healed} ms`)
  t.log(`slowest ${Math.round(Math.max(...times))} ms, 40 pages ${Math.round(whole)} ms; the first renewal ${Math.round(healed)} ms after memcached woke`)
})

test('L12: one process is cut off from memcached: the other reads an older record for cache_ttl at most, and an ended session no longer', async (t) => {
  const memcached = await startMemcached(t)
  const proxy = await proxyTo(t, memcached)
  const { one: cut, other, browser } = await scene(t, memcached, [proxy.port, memcached.port])
  await proxy.set({ kind: 'black-hole' })

  const saved = await ask(cut, browser, '/set/new')
  t.is(saved.status, 200)
  t.is((await ask(cut, browser, '/')).text, '{"new":1}', 'who saved it reads it')
  const since = performance.now()
  while ((await ask(other, browser, '/')).text !== '{"new":1}') await sleep(20)
  const stale = performance.now() - since
  t.true(stale < TTL * 1_000 + SLACK, `${stale} ms`)
  t.is((await ask(other, browser, '/set/newer')).status, 200, 'nothing of it is lost')
  t.is((await ask(cut, browser, '/')).text, '{"new":1,"newer":1}')

  await ask(other, browser, '/')
  const thief = clientOf(other.url, browser.jar.cloneSync()!)
  t.is((await ask(cut, browser, '/logout')).status, 503)
  const ended = performance.now()
  while ((await ask(other, thief, '/')).text !== '{}') await sleep(20)
  t.true(performance.now() - ended < TTL * 1_000 + SLACK)
  t.is((await ask(cut, thief, '/')).text, '{}')
  t.log(`the save was seen after ${Math.round(stale)} ms, the log-out after ${Math.round(performance.now() - ended)} ms`)

  await proxy.set({ kind: 'pass' })
  const healed = await timeToSuccess(cut, async () => {
    const next = clientOf(cut.url)
    await at(cut, next).get('/set/a')
    return next
  }, '/logout')
  t.true(healed < 2_000 + SLACK, `${healed} ms`)
})

test('L13: memcached is restarted, empty: nothing older comes back, and copies are put again', async (t) => {
  const { memcached, one, other, browser } = await scene(t, await startMemcached(t))
  for (let round = 0; round < 3; round++) {
    await memcached.restart()
    t.is((await ask(one, browser, `/set/k${round}`)).status, 200)
    for (const process of [other, one, other]) t.is(Object.keys(JSON.parse((await ask(process, browser, '/')).text)).length, round + 1)
  }
  const { get } = await memcached.commands()
  await timeToSuccess(other, () => browser, '/')
  t.true((await memcached.commands()).get > get)
})
