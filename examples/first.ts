// The first example of the README: counts a visitor's visits.
import { createServer } from 'node:http'
import { loadIni, withSession } from 'phial'

const app = withSession<{ visits: number }>(async (req, res) => {
  const session = await req.session.load()      // first access: now, and only now, the store is read
  session.set('visits', session.get('visits', 0) + 1)
  await session.save()                          // nothing is kept without it; stored when it resolves, else it throws
  res.end(`visit ${session.get('visits')}\n`)
}, loadIni('development.ini'))

createServer(app).listen(Number(process.env.PORT ?? 5000), '127.0.0.1')
