import fastifySecureSession from '@fastify/secure-session'
import fastify from 'fastify'
import { announce } from '../../dist/bench/servers/announce.js'
import { ENCRYPT_KEY, newData, paths, UNTOUCHED } from '../../dist/bench/servers/job.js'

const app = fastify()
app.register(fastifySecureSession, { key: Buffer.from(ENCRYPT_KEY), cookie: { path: '/' } })

app.get(paths.untouched, async () => UNTOUCHED)
app.get(paths.read, async (request) => String(request.session.get('user')))
app.get(paths.write, async (request) => {
  const count = request.session.get('count') + 1
  request.session.set('count', count)
  return String(count)
})
app.get(paths.create, async (request) => {
  const data = newData()
  for (const [key, value] of Object.entries(data)) request.session.set(key, value)
  return data.user
})

await app.listen({ host: '127.0.0.1', port: 0 })
await announce(app.server)
