import { createServer } from 'node:http'
import cookieSession from 'cookie-session'
import { announce } from '../../dist/bench/servers/announce.js'
import { newData, paths, SECRET, UNTOUCHED } from '../../dist/bench/servers/job.js'

const withSession = cookieSession({ name: 'session', keys: [SECRET], maxAge: 24 * 60 * 60 * 1000 })

const handle = (req, res) => {
  if (req.url === paths.untouched) return res.end(UNTOUCHED)
  if (req.url === paths.read) return res.end(String(req.session.user))
  if (req.url === paths.write) return res.end(String(++req.session.count))
  return res.end(Object.assign(req.session, newData()).user)
}

await announce(createServer((req, res) => withSession(req, res, () => handle(req, res))).listen(0, '127.0.0.1'))
