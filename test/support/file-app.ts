// One of several server processes over one session directory: `node file-app.js DIRECTORY SECRET`. Prints its URL.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { withSession } from '../../src/index.js'

const [, , dataDir, secret] = process.argv as [string, string, string, string]

const app = withSession(async (req, res) => {
  const [, verb, key = ''] = req.url!.split('/')
  const session = await req.session.load()
  if (verb === 'set') await session.set(key, 1).save()
  if (verb === 'add') await session.update('n', (n = 0) => n + 1)
  if (verb === 'logout') await session.destroy()
  res.end(JSON.stringify(session))
}, { type: 'file', dataDir, secret, secure: false, operationTimeout: 10, requestBudget: 20 })

const server = createServer(app).listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})
process.on('SIGTERM', () => {
  server.close(() => void app.manager.close())
  server.closeIdleConnections()
})
