import { createServer } from 'node:http'
import { getIronSession } from 'iron-session'
import { announce } from '../../dist/bench/servers/announce.js'
import { newData, paths, SECRET, UNTOUCHED } from '../../dist/bench/servers/job.js'

const options = { password: SECRET, cookieName: 'session', cookieOptions: { secure: false } }

const handle = async (req, res) => {
  if (req.url === paths.untouched) return res.end(UNTOUCHED)
  const session = await getIronSession(req, res, options)
  if (req.url === paths.read) return res.end(String(session.user))
  if (req.url === paths.write) session.count += 1
  else Object.assign(session, newData())
  await session.save()
  return res.end(req.url === paths.write ? String(session.count) : session.user)
}

await announce(createServer(handle).listen(0, '127.0.0.1'))
