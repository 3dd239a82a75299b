// @fastify/session, with its own memory store or, given the url of a redis, with connect-redis.
import fastifyCookie from '@fastify/cookie'
import fastifySession from '@fastify/session'
import fastify from 'fastify'
import { announce } from '../../dist/bench/servers/announce.js'
import { newData, paths, SECRET, UNTOUCHED } from '../../dist/bench/servers/job.js'
import { stores } from './express-stores.js'

const url = process.argv[2]
const store = url === undefined ? {} : { store: await stores['connect-redis'](url) }

const app = fastify()
app.register(fastifyCookie)
// Rolling, its default, would send the cookie with every response.
app.register(fastifySession, { secret: SECRET, saveUninitialized: false, rolling: false, cookie: { secure: false }, ...store })

app.get(paths.untouched, async () => UNTOUCHED)
app.get(paths.read, async (request) => String(request.session.user))
app.get(paths.write, async (request) => String(++request.session.count))
app.get(paths.create, async (request) => Object.assign(request.session, newData()).user)

await app.listen({ host: '127.0.0.1', port: 0 })
await announce(app.server)
