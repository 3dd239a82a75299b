// express-session over node:http, without express: `node express-session.js memory`, or the name of a store and where it is.
import { createServer } from 'node:http'
import session from 'express-session'
import { announce } from '../../dist/bench/servers/announce.js'
import { newData, paths, SECRET, UNTOUCHED } from '../../dist/bench/servers/job.js'
import { stores } from './express-stores.js'

const [, , name, location] = process.argv
const withSession = session({ secret: SECRET, resave: false, saveUninitialized: false, store: await stores[name](location) })

const handle = (req, res) => {
  if (req.url === paths.untouched) return res.end(UNTOUCHED)
  if (req.url === paths.read) return res.end(String(req.session.user))
  if (req.url === paths.write) return res.end(String(++req.session.count))
  Object.assign(req.session, newData())
  return res.end(req.session.user)
}

await announce(createServer((req, res) => withSession(req, res, (error) => {
  if (error) res.writeHead(500).end(error.message)
  else handle(req, res)
})).listen(0, '127.0.0.1'))
