import test from 'ava'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { ConfigError, currentSession, withCurrentSession, withSession } from '../../src/index.js'
import { clientOf, listen, serve } from '../support/app.js'
import { modes, serveMode, testIn } from '../support/every-backend.js'
import { SECRET } from '../support/harness.js'

interface Visitor { name: string; n: number }

/** Somewhere far below the handler. */
const count = async (): Promise<string> => {
  await sleep(1)
  const session = await currentSession<Visitor>().load()
  await new Promise(setImmediate)
  await currentSession<Visitor>().update('n', (n = 0) => n + 1)
  return `${session.get('name')} ${session.get('n')}`
}

for (const mode of modes) {
  const testIt = testIn(mode)
  testIt(`${mode.name}: Pylons session global in controllers: each request finds its own session, in parallel too`, async (t) => {
    const { client } = await serveMode(t, mode, withCurrentSession(async (req, res) => {
      t.is(currentSession(), req.session)
      const name = req.url!.slice(1)
      if (name !== '') await currentSession<Visitor>().set('name', name).then((session) => session.save())
      res.end(name === '' ? await count() : '')
    }))
    const browsers = await Promise.all(Array.from({ length: 20 }, async (_, n) => {
      const browser = client()
      await browser.get(`/visitor${n}`)
      return browser
    }))
    for (const round of [1, 2]) {
      const answers = await Promise.all(browsers.map((browser) => browser.text()))
      t.deepEqual(answers, browsers.map((_, n) => `visitor${n} ${round}`))
    }
  })
}

test('the wrappers may stand in either order, and the session under another key', async (t) => {
  const handler = async (_req: unknown, res: { end(text: string): unknown }): Promise<void> => void res.end(await count())
  const settings = { type: 'memory', secret: SECRET, secure: false, requestKey: 'visitor' }
  for (const app of [withSession(withCurrentSession(handler), settings), Object.assign(withCurrentSession(withSession(handler, settings)))]) {
    const { url } = await listen(t, app)
    const browser = clientOf(url)
    t.deepEqual([await browser.text(), await browser.text()], ['undefined 1', 'undefined 2'])
  }
})

test('outside of a request, and in one whose handler is not wrapped, it says so', async (t) => {
  t.throws(() => currentSession(), { instanceOf: ConfigError, code: 'PHIAL_CONFIG', message: /withCurrentSession/ })
  withCurrentSession(() => t.throws(() => currentSession(), { instanceOf: ConfigError, message: /withSession/ }))({})
  const { client } = await serve(t, (_req, res) => res.end((t.throws(() => currentSession()) as ConfigError).code))
  t.is(await client().text(), 'PHIAL_CONFIG')
})

test('it hands on what it is given, and what comes back', (t) => {
  const handler = withCurrentSession((req: object, ...rest: number[]) => [req, ...rest])
  const req = {}
  t.deepEqual(handler(req, 1, 2), [req, 1, 2])
  t.throws(() => withCurrentSession(() => { throw new RangeError('mine') })({}), { instanceOf: RangeError, message: 'mine' })
})

test('what the handler starts and leaves behind still finds its session, which is over', async (t) => {
  let late: Promise<unknown> | undefined
  const { client } = await serve(t, withCurrentSession(async (_req, res) => {
    await currentSession().save()
    late = once(res, 'close').then(() => currentSession().set('a', 1))
    res.end()
  }))
  await client().get()
  await t.throwsAsync(async () => late, { code: 'PHIAL_CLOSED' })
})

test('a process that does not use it pays nothing: asynchronous calls are not followed', (t) => {
  const code = `import { executionAsyncId } from 'node:async_hooks'
    import { withCurrentSession } from 'phial'
    const isFollowed = async () => (await null, executionAsyncId() !== 0)
    const before = await isFollowed()
    withCurrentSession(() => {})({})
    console.log(before, await isFollowed())`
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', code], { encoding: 'utf8' })
  t.true(['false true\n', 'false false\n'].includes(stdout), stdout) // where Node follows them by other means, nobody pays
})
