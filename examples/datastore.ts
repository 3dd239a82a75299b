// In Google's Datastore, or its emulator (DATASTORE_EMULATOR_HOST): try /login?user=ann in two browsers, then /everywhere in one.
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { createManager, withSession } from 'phial'

const manager = createManager<{ user: string; visits: number }>({
  type: 'datastore',
  url: `datastore://${process.env.GOOGLE_CLOUD_PROJECT ?? 'phial-example'}`,
  secret: process.env.SECRET ?? randomBytes(32).toString('base64url'), // all machines need the same one
  secure: 'auto',
})

const app = withSession(async (req, res) => {
  const { pathname, searchParams } = new URL(req.url!, 'http://host')
  const session = await req.session.load()
  const user = searchParams.get('user')
  if (pathname === '/login' && user !== null) {
    session.owner = user
    session.set('user', user)
    await session.regenerateId({ authenticated: true }) // saves it, under an id that nobody knew before
  }
  if (pathname === '/everywhere' && session.owner !== undefined) {
    const ended = await manager.revoke({ owner: session.owner })
    res.end(`Logged out, ${ended} times.\n`)
    return
  }
  const visits = await session.update('visits', (n = 0) => n + 1) // counted once, whichever machine it is
  res.end(`${session.get('user') ?? 'Somebody'}, visit ${visits}\n`)
}, manager)

const port = Number(process.env.PORT ?? 5000)
createServer(app).listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}`))
