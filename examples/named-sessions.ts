// Several sessions in one request, each with a cookie, a life and a backend of its own. Try /buy/pears, /list and /leave.
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { sessions, withSession } from 'phial'

const app = withSession<{ visits: number }>(async (req, res) => {
  const its = sessions(req)
  const cart = its.get<{ items: string[] }>('cart', { backend: 'quick', timeout: 600 }) // ten minutes without a purchase
  const view = its.get<{ mode: string }>('view', { backend: 'cookie', cookieExpires: 31_536_000, lifetime: 31_536_000, timeout: false })
  const [, verb, what = ''] = req.url!.split('/')
  if (verb === 'buy') await cart.update('items', (items = []) => [...items, what].slice(-10))
  if (verb === 'list' || verb === 'table') await view.set('mode', verb)
  if (verb === 'leave') await its.delete('cart')
  await its.save() // those that changed
  res.end(`${await view.get('mode', 'table')}: ${(await cart.get('items', [])).join(', ')}\n`)
}, {
  backends: { quick: { type: 'memory', memory: { maxSessions: 1000 } } },
  secret: randomBytes(32).toString('base64url'), // for trying it out: these sessions end with the program
  secure: 'auto',
})

const port = Number(process.env.PORT ?? 5000)
createServer(app).listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}`))
