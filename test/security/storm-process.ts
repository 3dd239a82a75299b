// A server on a store that fails in every way it can, visited by clients that go away: ends by itself when nothing was left unhandled.
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { withSession } from '../../src/index.js'
import { FaultyStore } from '../support/faulty-store.js'
import type { Fault } from '../support/faulty-store.js'
import { memoryStore, SECRET } from '../support/harness.js'

process.removeAllListeners('warning') // unsaved sessions are part of the storm

const store = new FaultyStore(memoryStore(Date.now))

const app = withSession(async (req, res) => {
  const how = req.url!.slice(1)
  if (how === 'object') void req.session.set('n', 1)
  if (how === 'object') void req.session.save()
  const session = await req.session.load()
  void session.set('n', 1)
  void session.save()
  if (how === 'update') void session.update('n', (n = 0) => n + 1)
  if (how === 'renew') void session.regenerateId()
  if (how === 'reload') void session.reload()
  if (how === 'lock') void session.lock({ wait: 0 })
  if (how === 'object') void req.session.get('n')
  if (how === 'late') res.flushHeaders()
  if (how === 'destroy') void session.destroy()
  if (how === 'codec') void session.set('n', new Map()).save()
  if (how === 'drop') return void req.socket.destroy()
  res.end('done')
}, { secret: SECRET, secure: false, type: store.manager, operationTimeout: 0.02, requestBudget: 0.05 })

const faults: readonly Fault[] = [
  'hung', 'lost', new Error('bare'), async () => { throw 'a string' }, () => Promise.reject(undefined), async () => undefined,
  async () => ({ nonsense: true }), () => { throw null },
]
const hows = ['', 'update', 'renew', 'reload', 'lock', 'object', 'late', 'destroy', 'codec', 'drop']

let cookie = ''
let answered = 0

const visit = (port: number, path: string): Promise<void> =>
  new Promise((resolve) => {
    const sent = get({ port, path, headers: { cookie } }, (res) => {
      answered++
      cookie = res.headers['set-cookie']?.[0]?.split(';')[0] ?? cookie
      res.on('error', resolve).on('close', resolve).resume()
    })
    sent.on('error', resolve)
    if (path === '/drop') setImmediate(() => sent.destroy())
  })

const server = createServer(app)
server.listen(0, '127.0.0.1', async () => {
  const { port } = server.address() as AddressInfo
  let count = 0
  for (const how of hows) {
    for (const method of ['get', 'create', 'replace', 'touch', 'delete'] as const) {
      for (const fault of faults) {
        store.next(method, fault)
        count++
        await Promise.all([visit(port, `/${how}`), visit(port, '/')])
      }
    }
  }
  await app.manager.close()
  server.close()
  server.closeAllConnections()
  console.log(JSON.stringify({ answered, faults: count }))
})
