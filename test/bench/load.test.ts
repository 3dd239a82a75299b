import test from 'ava'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { load, wrk } from '../../bench/run/load.js'
import { listen } from '../support/app.js'
import { temporaryDirectory } from '../support/every-backend.js'

const testOfLoad = wrk === undefined ? test.skip : test

testOfLoad('requests walk over all cookies of the file, on the path that was named, and are counted', async (t) => {
  const cookies = Array.from({ length: 7 }, (_, index) => `sid=${index}; other=${index}`)
  const cookieFile = join(temporaryDirectory(t), 'cookies.txt')
  writeFileSync(cookieFile, cookies.map((cookie) => `${cookie}\n`).join(''))
  const seen = new Map<string, number>()
  const { url } = await listen(t, (req, res) => {
    const request = `${req.url} ${req.headers.cookie}`
    seen.set(request, (seen.get(request) ?? 0) + 1)
    res.end()
  })
  const { requests, micros, p99Micros } = await load({ url, path: '/here', cookieFile, seconds: 0.2 })
  t.deepEqual([...seen.keys()].sort(), cookies.map((cookie) => `/here ${cookie}`))
  const counts = [...seen.values()]
  t.true(counts.reduce((sum, count) => sum + count) >= requests)
  t.true(micros > 0 && p99Micros > 0)
})

testOfLoad('without a file no cookie comes', async (t) => {
  const seen = new Set<unknown>()
  const { url } = await listen(t, (req, res) => {
    seen.add(req.headers.cookie)
    res.end()
  })
  await load({ url, path: '/', seconds: 0.1 })
  t.deepEqual([...seen], [undefined])
})

testOfLoad('one answer that is no 2xx, or one connection that breaks, fails the load', async (t) => {
  let count = 0
  const failing = await listen(t, (_req, res) => res.writeHead(++count === 10 ? 500 : 200).end())
  await t.throwsAsync(load({ url: failing.url, path: '/', seconds: 0.2 }), { message: /^under load, 1 answers were no 2xx, and 0 connections failed$/ })
  let broken = 0
  const breaking = await listen(t, (req, res) => (++broken === 10 ? req.socket.resetAndDestroy() : res.end()))
  await t.throwsAsync(load({ url: breaking.url, path: '/', seconds: 0.2 }), { message: /^under load, 0 answers were no 2xx, and 1 connections failed$/ })
})

testOfLoad('a server that answers too late for one is given more time', async (t) => {
  const start = performance.now()
  const { url } = await listen(t, (_req, res) => void (performance.now() - start > 400 ? res.end() : setTimeout(() => res.end(), 400)))
  t.true((await load({ url, path: '/', seconds: 0.1 })).requests > 0)
})
