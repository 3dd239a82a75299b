// A cache in front of the store: a page that only reads a session does not ask the store for it.
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { withSession } from 'phial'

const app = withSession<{ visits: number }>(async (req, res) => {
  const session = await req.session.load() // from the cache, if another request was here within the last minute
  if (req.url === '/visit') await session.update('visits', (n = 0) => n + 1) // the store first, then the cache's copy is removed
  if (req.url === '/leave') await session.destroy() // the same, and it fails if the cache cannot be told
  res.end(`visits: ${session.get('visits', 0)}\n`)
}, {
  type: 'file',
  dataDir: 'data',
  cache: 'near',
  backends: { near: { type: 'memory' } }, // for one process; several share a server, such as memcached
  secret: randomBytes(32).toString('base64url'),
  secure: 'auto',
})

const port = Number(process.env.PORT ?? 5000)
createServer(app).listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}/visit`))
