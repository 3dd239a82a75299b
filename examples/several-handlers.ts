// Several handlers under one manager, as in a composite application: each sees the same session.
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { createManager, withSession } from 'phial'

const manager = createManager<{ seen: string[] }>({
  secret: randomBytes(32).toString('base64url'), // for trying it out: these sessions end with the program
  secure: 'auto',
})

const home = withSession(async (req, res) => {
  const seen = await req.session.get('seen', [])
  res.end(`You asked the broker about: ${seen.join(', ') || 'nothing'}\n`)
}, manager)

const broker = withSession(async (req, res) => {
  const thing = req.url!.slice('/broker/'.length)
  await req.session.update('seen', (seen = []) => [...seen, thing].slice(-10))
  res.end(`The broker knows all about ${thing}.\n`)
}, manager)

const port = process.env.PORT ?? 5000
const server = createServer((req, res) => (req.url?.startsWith('/broker/') ? broker : home)(req, res))
server.listen(port, () => console.log(`http://127.0.0.1:${port}/broker/gold`))
