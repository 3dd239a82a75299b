// The demo site: npm start, then http://127.0.0.1:5000
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createManager, loadIni, urlMap, withSession } from 'phial'
import { makeSecretFile } from '../../bin/secret-file.js'
import { stopOnSignals } from '../../bin/stop-on-signals.js'
import { idInAddress } from './id-in-address.js'
import type { DemoData } from './page.js'
import { makeSite } from './site.js'

// shown start
const settings = loadIni('development.ini')
// end

const { secretFile } = settings.toJSON()['settings'] as { secretFile?: string }
if (secretFile !== undefined) makeSecretFile(secretFile) // at the first start

// shown start
const manager = createManager<DemoData>(settings, {
  backends: { quick: { type: 'memory' } }, // for sessions that ask for it
})
// end
// shown without-cookies
// A part of the site without cookies has a manager of its own.
const strangers = createManager<DemoData>(settings, {
  type: 'memory', useCookies: false, id: idInAddress,
})
// end

const { main, garden, kitchen, visits } = makeSite(manager)

// shown start applications
const shared = urlMap({ '/': main, '/garden': garden, '/kitchen': kitchen })
// end
// shown start without-cookies
const server = createServer(urlMap({
  '/': withSession(shared, manager),
  '/visits': withSession(visits, strangers),
}))
// end
// shown start
server.listen(Number(process.env.PORT ?? 5000), '127.0.0.1')

const stop = async () => {
  await new Promise((resolve) => server.close(resolve)) // answers
  await Promise.all([manager.close(), strangers.close()]) // what is pending
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
