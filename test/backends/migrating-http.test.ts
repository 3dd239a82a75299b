import test from 'ava'
import type { ExecutionContext } from 'ava'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createManager, loadIni } from '../../src/index.js'
import type { SessionRequest, SettingsInput } from '../../src/index.js'
import { serve } from '../support/app.js'
import type { App, Client } from '../support/app.js'
import { temporaryDirectory } from '../support/every-backend.js'
import { SECRET } from '../support/harness.js'

const DAY = 86_400_000
const LIFETIME = 14 * DAY
const PATIENT: SettingsInput = { operationTimeout: 10, requestBudget: 20 }

/** What each step's processes are started with: lines of an INI file. */
const STEPS = {
  'old alone': ['session.type = file', 'session.data_dir = old'],
  'made in old': ['session.type = migrating', 'session.migrating.from = old', 'session.migrating.to = new', 'session.migrating.create_in = from'],
  'made in new': ['session.type = migrating', 'session.migrating.from = old', 'session.migrating.to = new'],
  'new alone': ['session.type = file', 'session.data_dir = new'],
} as const

type Step = keyof typeof STEPS

const OTHERS = ['old', 'new'].flatMap((name) => [`session.backends.${name}.type = file`, `session.backends.${name}.data_dir = ${name}`])

interface User {
  readonly name: string
  readonly browser: Client
  readonly bornAt: number
  visits: number
}

test('an application moves from one store to another, one process after the other: nobody is logged out, no visit is lost, and who logged out stays out', async (t) => {
  const directory = temporaryDirectory(t)
  let now = Date.UTC(2030, 0, 1)
  let users: User[] = []
  const gone: Client[] = []

  /** Everybody visits every server, and so does who holds the cookies of those that logged out. */
  const visit = async (servers: readonly Server[]): Promise<void> => {
    users = users.filter(({ bornAt }) => bornAt + LIFETIME > now)
    for (const server of servers) {
      for (const user of users) t.is(await server.ask(user.browser, '/visit'), `${user.name} ${++user.visits}`)
      for (const browser of gone) t.is(await server.ask(browser, '/'), 'nobody')
    }
  }

  /** A day on which the processes of two steps run. */
  const run = async (...steps: readonly [Step, Step]): Promise<void> => {
    const servers = [await start(t, directory, steps[0], () => now), await start(t, directory, steps[1], () => now)] as const
    await visit(servers)
    for (const [index, server] of [...servers, ...servers].entries()) {
      const user = { name: `user ${index} of the day of ${steps.join(' and ')}`, browser: server.client(), bornAt: now, visits: 0 }
      await server.ask(user.browser, `/login/${encodeURIComponent(user.name)}`)
      users.push(user)
    }
    await visit(servers)
    for (const server of servers) {
      const [{ browser }] = users.splice((gone.length * 5) % users.length, 1) as [User]
      gone.push(server.client(browser.jar.cloneSync()))
      await server.ask(browser, '/logout')
    }
    await visit(servers)
    now += DAY
  }

  await run('old alone', 'old alone')
  await run('old alone', 'made in old')
  await run('made in old', 'made in old')
  await run('made in old', 'made in new')
  await run('made in new', 'made in new')
  now += LIFETIME - 2 * DAY // whose session was made in the old store has come to its absolute end
  await run('made in new', 'new alone')
  t.true(users.some(({ name }) => name.endsWith('made in new and made in new')))
  await run('new alone', 'new alone')
})

interface Server extends App {
  ask(browser: Client, path: string): Promise<string>
}

const start = async (t: ExecutionContext, directory: string, step: Step, now: () => number): Promise<Server> => {
  const file = join(directory, `${step.replaceAll(' ', '-')}.ini`)
  const lines = [...STEPS[step], ...(step.startsWith('made') ? OTHERS : []), `session.secret = ${SECRET}`, 'session.secure = false', 'session.timeout = 1209600']
  writeFileSync(file, ['[app:main]', ...lines].join('\n'))
  const manager = createManager(loadIni(file), { ...PATIENT, now })
  t.teardown(() => manager.close())
  const app = await serve(t, async (req: SessionRequest, res) => {
    const session = await req.session.load()
    const [, what, value = ''] = req.url!.split('/')
    if (what === 'login') {
      session.owner = value
      await session.set('user', decodeURIComponent(value)).regenerateId()
    }
    if (what === 'visit') await session.update('visits', (n = 0) => n + 1)
    if (what === 'logout') await session.destroy()
    res.end(`${session.get('user', 'nobody')}${what === 'visit' ? ` ${session.get('visits')}` : ''}`)
  }, manager)
  return { ...app, ask: async (browser: Client, path: string): Promise<string> => app.client(browser.jar).text(path) }
}
