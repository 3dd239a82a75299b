// The demo site: npm start, then http://127.0.0.1:5000
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createManager, loadIni, withSession } from 'phial'
import { makeSecretFile } from '../../bin/secret-file.js'
import { stopOnSignals } from '../../bin/stop-on-signals.js'
import type { DemoData } from './page.js'
import { site } from './site.js'

// shown
const settings = loadIni('development.ini')
// end

const { secretFile } = settings.toJSON()['settings'] as { secretFile?: string }
if (secretFile !== undefined) makeSecretFile(secretFile) // at the first start

// shown
const manager = createManager<DemoData>(settings)
const server = createServer(withSession(site(manager), manager))
server.listen(Number(process.env.PORT ?? 5000), '127.0.0.1')

const stop = async () => {
  await new Promise((resolve) => server.close(resolve)) // answers
  await manager.close() // writes what is pending
}
// end

server.on('listening', () => {
  const { port } = server.address() as AddressInfo
  console.log(`The demo listens on http://127.0.0.1:${port} (stop it with Ctrl-C)`)
})
server.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EADDRINUSE') throw error
  console.error(`${error.message}\nChoose another port: PORT=5001 npm start`)
  process.exitCode = 1
})

stopOnSignals(server, stop)
