// The same load twice, with faults, and what is left of memory, timers and sockets after each.
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { withSession } from '../../src/index.js'
import { FaultyStore } from '../support/faulty-store.js'
import { memoryStore, SECRET } from '../support/harness.js'
import { acts } from './support.js'

const requests = Number(process.argv[2])
const inner = memoryStore(Date.now)
const store = new FaultyStore(inner)
const app = withSession(acts, { secret: SECRET, secure: false, type: store.manager, operationTimeout: 0.05, requestBudget: 0.1 })
const server = createServer(app)

const visit = (port: number, path: string, cookie: string): Promise<string> =>
  new Promise((resolve, reject) => {
    get({ port, path, headers: { cookie }, agent: false }, (res) => {
      res.resume().on('end', () => resolve(res.headers['set-cookie']?.[0]?.split(';')[0] ?? cookie)).on('error', reject)
    }).on('error', reject)
  })

const load = async (port: number): Promise<void> => {
  for (let n = 0; n < requests; n += 6) {
    let cookie = ''
    for (const path of ['/set?user=ann', '/add', '/login?user=ann', '/renew', '/', '/logout']) {
      if (n % 300 === 0) store.next('replace', 'hung')
      cookie = await visit(port, path, cookie)
    }
  }
  store.calls.splice(0)
  await new Promise((resolve) => setTimeout(resolve, 200)) // time-outs of hung calls run out
  for await (const key of (inner as unknown as { keys(): AsyncIterable<string> }).keys()) await inner.delete(key)
  globalThis.gc!()
}

server.listen(0, '127.0.0.1', async () => {
  const { port } = server.address() as AddressInfo
  const heap: number[] = []
  const resources: string[][] = []
  for (let round = 0; round < 3; round++) {
    await load(port)
    if (round === 0) continue // what is made once is made
    heap.push(process.memoryUsage().heapUsed)
    resources.push(process.getActiveResourcesInfo().sort())
  }
  await app.manager.close()
  server.close()
  console.log(JSON.stringify({ heap, resources }))
})
