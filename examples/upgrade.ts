// The session of a connection that is no request and response, such as a WebSocket: read and written, without a cookie to set.
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { withSession } from 'phial'

const app = withSession<{ name: string; lines: number }>(async (req, res) => {
  await req.session.set('name', 'Ada')
  await req.session.save()
  res.end('Now you may upgrade.\n')
}, {
  secret: randomBytes(32).toString('base64url'), // for trying it out: these sessions end with the program
  secure: 'auto',
})

const server = createServer(app)
server.on('upgrade', async (req, socket, head) => {
  try {
    const session = await app.manager.open(req).load()
    if (session.isNew) return void socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n')
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
    socket.unshift(head)
    for await (const line of createInterface({ input: socket })) {
      const lines = await session.update('lines', (n = 0) => n + 1) // a session that ended meanwhile throws
      socket.write(`${session.get('name')}, line ${lines}: ${line}\n`)
    }
    socket.end()
  } catch {
    socket.destroy()
  }
})

const port = Number(process.env.PORT ?? 5000)
server.listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}`))
