// Values that vanish when they are read: /work/5 leaves a result, and the next page tells of it, once.
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { notifications, withSession } from 'phial'

const app = withSession(async (req, res) => {
  const notes = notifications(req)
  const [, verb, amount] = req.url!.split('/')
  if (verb === 'work') await notes.set(`work ${amount}`, { done: Number(amount) * 2 })
  const told = verb === 'work' ? {} : await notes.takeAll()
  res.end(Object.entries(told).map(([what, { done }]) => `${what}: ${done}\n`).join('') || 'Nothing new.\n')
}, {
  secret: randomBytes(32).toString('base64url'), // for trying it out: these sessions end with the program
  secure: 'auto',
})

const port = Number(process.env.PORT ?? 5000)
createServer(app).listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}`))
