// Sessions on memcached: start `memcached`, then this program, as often as you like: they share the sessions.
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { StoreError, withSession } from 'phial'

const app = withSession<{ visits: number }>(async (req, res) => {
  try {
    const visits = await req.session.update('visits', (n = 0) => n + 1)
    res.end(`visit ${visits}\n`)
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    res.writeHead(503).end('Nobody counts just now.\n') // memcached is down: this takes a second at most
  }
}, {
  type: 'memcache',
  url: process.env.MEMCACHE_URL ?? 'memcache://127.0.0.1:11211', // several: memcache://10.0.0.1,10.0.0.2
  secret: process.env.PHIAL_SECRET ?? randomBytes(32).toString('base64url'), // programs that share sessions need the same
  secure: 'auto',
})

const port = Number(process.env.PORT ?? 5000)
createServer(app).listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}/`))
