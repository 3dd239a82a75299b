// A process that stores and reads a session, holds a lock, and then has nothing more to do.
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { withSession } from '../../src/index.js'
import { SECRET } from '../support/harness.js'

const settings = JSON.parse(process.argv[2]!)

const app = withSession(async (req, res) => {
  const session = await req.session.load()
  if (req.url === '/in') await session.set('user', 'ann').save()
  res.end(session.get('user'))
}, { secret: SECRET, secure: false, ...settings })

const ask = (port: number, path: string, cookie: string): Promise<[body: string, cookie: string]> =>
  new Promise((resolve, reject) => {
    get({ port, path, headers: { cookie }, agent: false }, (res) => {
      let body = ''
      res.on('data', (chunk) => { body += chunk })
      res.on('end', () => resolve([body, res.headers['set-cookie']?.[0]?.split(';')[0] ?? '']))
    }).on('error', reject)
  })

const server = createServer(app)
server.listen(0, '127.0.0.1', async () => {
  const { port } = server.address() as AddressInfo
  const [, cookie] = await ask(port, '/in', '')
  const [body] = await ask(port, '/', cookie)
  server.close()
  if (settings.type !== 'cookie') {
    const session = await app.manager.create()
    await session.save()
    await session.lock({ lease: 3600 })
  }
  console.log(body)
})
