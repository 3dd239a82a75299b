// Sessions for clients that keep no cookies: the id goes to them in a header, and comes back in it.
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { createManager } from 'phial'

const manager = createManager<{ calls: number }>({
  secret: randomBytes(32).toString('base64url'), // for trying it out: these sessions end with the program
})

const server = createServer(async (req, res) => {
  try {
    const id = req.headers['x-session']
    const session = (typeof id === 'string' && await manager.getById(id)) || await manager.create()
    const calls = await session.update('calls', (n = 0) => n + 1)
    res.setHeader('Cache-Control', 'no-store') // who reads the id has the session
    res.setHeader('X-Session', session.id).end(`call ${calls}\n`)
  } catch (error) {
    console.error(error)
    res.writeHead(503).end()
  }
})

const port = Number(process.env.PORT ?? 5000)
server.listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}`))
