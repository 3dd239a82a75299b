// koa-session: `node koa-session.js cookie`, its default, or `map`, the simplest external store.
import Koa from 'koa'
import session from 'koa-session'
import { announce } from '../../dist/bench/servers/announce.js'
import { newData, paths, SECRET, UNTOUCHED } from '../../dist/bench/servers/job.js'

const map = new Map()
const store = { get: async (key) => map.get(key), set: async (key, value) => void map.set(key, value), destroy: async (key) => void map.delete(key) }

const app = new Koa()
app.keys = [SECRET]
app.use(session(process.argv[2] === 'map' ? { store } : {}, app))

app.use((ctx) => {
  if (ctx.path === paths.untouched) ctx.body = UNTOUCHED
  else if (ctx.path === paths.read) ctx.body = String(ctx.session.user)
  else if (ctx.path === paths.write) ctx.body = String(++ctx.session.count)
  else ctx.body = Object.assign(ctx.session, newData()).user
})

await announce(app.listen(0, '127.0.0.1'))
