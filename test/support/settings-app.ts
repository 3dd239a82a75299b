// One of several server processes with the same sessions: `node settings-app.js SETTINGS`, as JSON. Prints its URL.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { withSession } from '../../src/index.js'
import type { SettingsInput } from '../../src/index.js'

const app = withSession(async (req, res) => {
  const [, verb, key = ''] = req.url!.split('/')
  const session = await req.session.load()
  if (verb === 'set') await session.set(key, 1).save()
  if (verb === 'add') await session.update('n', (n = 0) => n + 1)
  if (verb === 'renew') await session.regenerateId()
  if (verb === 'logout') await session.destroy()
  if (verb === 'login') {
    session.owner = key
    await session.regenerateId({ authenticated: true })
  }
  if (verb === 'revoke') await app.manager.revoke({ owner: key })
  res.end(JSON.stringify(session))
}, JSON.parse(process.argv[2]!) as SettingsInput)

const server = createServer(app).listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})
process.on('SIGTERM', () => {
  server.close(() => void app.manager.close())
  server.closeIdleConnections()
})
