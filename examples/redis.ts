// Two processes, one port, and sessions on redis: whichever answers, it is the same session, and a log-out everywhere is one in both.
import cluster from 'node:cluster'
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { withSession } from 'phial'

const port = Number(process.env.PORT ?? 5000)

if (cluster.isPrimary) {
  const SECRET = randomBytes(32).toString('base64url') // for trying it out: the same in both, another next time
  const workers = [cluster.fork({ SECRET }), cluster.fork({ SECRET })]
  await Promise.all(workers.map((worker) => new Promise((listening) => worker.once('listening', listening))))
  console.log(`http://127.0.0.1:${port}/login/ada`)
} else {
  const app = withSession<{ visits: number }>(async (req, res) => {
    const [, verb, user = ''] = req.url!.split('/')
    const session = await req.session.load()
    if (verb === 'login') {
      session.owner = user // so that all sessions of this user can be found
      await session.regenerateId({ authenticated: true })
    }
    if (verb === 'logout-everywhere' && session.owner !== undefined) {
      const ended = await app.manager.revoke({ owner: session.owner })
      return void res.end(`${ended} sessions ended\n`)
    }
    const visits = await session.update('visits', (n = 0) => n + 1)
    res.end(`${session.owner ?? 'nobody'}, visit ${visits}, answered by process ${process.pid}\n`)
  }, {
    type: 'redis',
    url: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379',
    secret: process.env.SECRET!,
    secure: 'auto',
  })
  createServer(app).listen(port, '127.0.0.1')
}
