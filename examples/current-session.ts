// Pylons' way: controllers and helpers find the session of their request by themselves. Nobody hands it down.
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { currentSession, withCurrentSession, withSession } from 'phial'

interface Visitor { name: string; pages: number }

/** What Pylons' controllers called `session`. */
const session = () => currentSession<Visitor>()

const greeting = async () => `Good day, ${await session().get('name', 'stranger')}!`

const hello = {
  async index() {
    const pages = await session().update('pages', (n = 0) => n + 1)
    return `${await greeting()} This is your page ${pages}.\n`
  },
  async name(name: string) {
    await session().set('name', name)
    await session().save()
    return `${await greeting()}\n`
  },
}

const app = withSession<Visitor>(withCurrentSession(async (req, res) => {
  const [, action, name = ''] = req.url!.split('/')
  res.setHeader('Content-Type', 'text/plain; charset=utf-8')
  res.end(action === 'name' ? await hello.name(name) : await hello.index())
}), {
  secret: randomBytes(32).toString('base64url'), // for trying it out: these sessions end with the program
  secure: 'auto',
})

const port = Number(process.env.PORT ?? 5000)
createServer(app).listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}/name/Ada`))
