import test from 'ava'
import type { ExecutionContext } from 'ava'
import { randomUUID } from 'node:crypto'
import { Visitor } from '../../bench/run/visitor.js'
import { scenarios } from '../../bench/scenarios.js'
import { paths, UNTOUCHED } from '../../bench/servers/job.js'
import { listen } from '../support/app.js'

type Fault = 'sets a cookie always' | 'takes any cookie' | 'knows nobody' | 'forgets what is written' | 'counts nothing' | 'keeps no new session' | 'answers 500'

/** A server like those that are measured, with a fault. */
const start = async (t: ExecutionContext, fault?: Fault): Promise<string> => {
  const sessions = new Map<string, { user: string; count: number }>()
  const { url } = await listen(t, (req, res) => {
    const id = req.headers.cookie?.slice('sid='.length) ?? ''
    const session = sessions.get(id) ?? (fault === 'takes any cookie' ? [...sessions.values()].at(0) : undefined)
    if (fault === 'sets a cookie always') res.setHeader('Set-Cookie', 'sid=none')
    if (fault === 'answers 500') res.statusCode = 500
    if (req.url === paths.untouched) return res.end(UNTOUCHED)
    if (req.url === paths.create) {
      const [newId, user] = [randomUUID(), `user-${sessions.size}`]
      if (fault !== 'keeps no new session') sessions.set(newId, { user, count: 0 })
      return res.setHeader('Set-Cookie', `sid=${newId}; Path=/`).end(user)
    }
    if (session === undefined) return res.writeHead(401).end()
    if (req.url === paths.read) return res.end(fault === 'knows nobody' ? 'undefined' : session.user)
    const count = fault === 'counts nothing' ? session.count : session.count + 1
    if (fault !== 'forgets what is written') session.count = count
    return res.end(String(count))
  })
  return url
}

const prove = async (url: string, letter: string): Promise<void> => {
  const visitor = new Visitor(url)
  const { text: user } = await visitor.get(paths.create)
  await scenarios.find((scenario) => scenario.letter === letter)!.prove({ visitor, user }, new Visitor(url))
}

for (const { letter, title } of scenarios) {
  test(`${letter}, ${title}: a server that does so is measured`, async (t) => {
    await t.notThrowsAsync(prove(await start(t), letter))
  })
}

const faults: readonly (readonly [fault: Fault, letters: string, message: RegExp])[] = [
  ['sets a cookie always', 'UN', /^an untouched session sets a cookie$/],
  ['takes any cookie', 'R', /^a forged cookie shows the session$/],
  ['knows nobody', 'R', /^\/read answers 200 “undefined”, in place of “user-0”$/],
  ['forgets what is written', 'W', /^\/write answers 200 “1”, in place of “2”$/],
  ['counts nothing', 'W', /^the counter does not count$/],
  ['keeps no new session', 'C', /^\/read answers 401/],
  ['answers 500', 'UN', /^\/ answers 500 “ok”, in place of “ok”$/],
]

for (const [fault, letters, message] of faults) {
  for (const letter of letters) {
    test(`${letter}: one that ${fault} is not`, async (t) => {
      await t.throwsAsync(prove(await start(t, fault), letter), { message })
    })
  }
}
