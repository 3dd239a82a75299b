// phial as its README uses it, with its defaults but for deadlines and what the table of servers says.
import { createServer } from 'node:http'
import { withSession } from '../../src/index.js'
import type { SettingsInput } from '../../src/index.js'
import { announce } from './announce.js'
import { newData, paths, SECRET, UNTOUCHED } from './job.js'
import type { Data } from './job.js'

const settings = JSON.parse(process.argv[2]!) as SettingsInput

/** A machine that was busy for a second fails no measurement: the others have no deadlines either. */
const PATIENT: SettingsInput = { operationTimeout: 20, requestBudget: 40 }

const app = withSession<Data>(async (req, res) => {
  if (req.url === paths.untouched) return res.end(UNTOUCHED)
  const session = await req.session.load()
  if (req.url === paths.read) return res.end(String(session.get('user')))
  if (req.url === paths.write) {
    session.set('count', session.get('count', 0) + 1)
    await session.save()
    return res.end(String(session.get('count')))
  }
  session.assign(newData())
  await session.save()
  return res.end(session.get('user'))
}, { secret: SECRET, ...PATIENT, ...settings })

await announce(createServer(app).listen(0, '127.0.0.1'))
