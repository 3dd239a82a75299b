// A listener of an event throws: what becomes of the request, of another listener, and of the error.
import { subscribe } from 'node:diagnostics_channel'
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { withSession } from '../../src/index.js'
import { SECRET } from '../support/harness.js'

let heard = 0
let uncaught = 0
process.on('uncaughtException', () => { uncaught++ })

for (const event of ['phial:rejected-id', 'phial:created']) {
  subscribe(event, () => { throw new Error('listener') })
  subscribe(event, () => { heard++ })
}

const app = withSession(async (req, res) => {
  await req.session.save()
  res.end()
}, { secret: SECRET, secure: false })

const server = createServer(app)
server.listen(0, '127.0.0.1', () => {
  get({ port: (server.address() as AddressInfo).port, headers: { cookie: 'phial=x' }, agent: false }, (res) => {
    res.resume().on('end', () => {
      server.close()
      console.log(JSON.stringify({ status: res.statusCode, heard, uncaught }))
    })
  })
})
