// A server that stops as an application would: no new connections, then what is pending, then the store.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { withSession } from '../../src/index.js'
import { SECRET } from '../support/harness.js'
import { acts } from './support.js'

const app = withSession(acts, { secret: SECRET, secure: false, ...JSON.parse(process.argv[2]!) })
const server = createServer(app)
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))

process.once('SIGTERM', async () => {
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeIdleConnections()
  await app.manager.close()
  await closed
  process.exit(0)
})
