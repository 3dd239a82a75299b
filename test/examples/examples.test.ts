import test from 'ava'
import type { ExecutionContext } from 'ava'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'
import { CookieJar } from 'tough-cookie'
import { clientOf } from '../support/app.js'
import { borrowEmulator, missingEmulator, tellMissing } from '../support/datastore-emulator.js'
import { hasMemcached, startMemcached } from '../support/memcache-store.js'
import { borrowRedis, redisProgram, tellMissing as tellNoServer } from '../support/redis-server.js'
import { folder, freePort, Program, root, start } from '../support/demo-program.js'
import { SECRET } from '../support/harness.js'

const script = (name: string): string => join(root, `dist/examples/${name}.js`)

/** Starts an example in an empty folder. */
const run = async (t: ExecutionContext, name: string, env: NodeJS.ProcessEnv = {}, cwd = folder(t)): Promise<string> => {
  const port = await freePort()
  const program = start(t, script(name), { cwd, env: { PORT: String(port), ...env } })
  await program.says(new RegExp(`^http://127\\.0\\.0\\.1:${port}`, 'm'))
  return `http://127.0.0.1:${port}`
}

test('the examples are short, say on top what they show, and are all run here', (t) => {
  const names = readdirSync(join(root, 'examples')).filter((name) => name.endsWith('.ts') && name !== 'own-backend.ts') // the contract suite runs that one
  const tests = readFileSync(join(root, 'test/examples/examples.test.ts'), 'utf8')
  t.true(names.length >= 8)
  for (const name of names) {
    const text = readFileSync(join(root, 'examples', name), 'utf8')
    t.true(text.split('\n').length <= 41, `${name} has 40 lines`)
    t.regex(text, /^\/\/ .+[.:].*\n(?!\/\/)/, name)
    t.regex(tests, new RegExp(`(run\\(t|script\\()[ ,]*'${name.replace('.ts', '')}'`), name)
  }
})

test('the first example counts visits, beside what `phial init` wrote', async (t) => {
  const cwd = folder(t)
  t.deepEqual(await start(t, join(root, 'dist/bin/phial.js'), { cwd, args: ['init'] }).ended, { code: 0, signal: null })
  const port = await freePort()
  const program = start(t, script('first'), { cwd, env: { PORT: String(port) } })
  const client = clientOf(`http://127.0.0.1:${port}`)
  t.is(await whenListening(program, () => client.text()), 'visit 1\n')
  t.is(await client.text(), 'visit 2\n')
  t.is(await clientOf(`http://127.0.0.1:${port}`).text(), 'visit 1\n')
})

/** It is too short to say when it listens. */
const whenListening = async <R>(program: Program, ask: () => Promise<R>): Promise<R> => {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (program.isOver) throw new Error(program.output, { cause: error })
      await sleep(20)
    }
  }
}

test('flash: the message is on the page after the redirect, once', async (t) => {
  const client = clientOf(await run(t, 'flash'))
  t.notRegex(await client.text(), /letter is on its way/)
  const answer = await client.get('/', { method: 'POST' })
  t.is(answer.status, 303)
  t.regex(await client.text(answer.headers.get('location')!), /<p class="success">Your letter is on its way\.<\/p>/)
  t.notRegex(await client.text(), /letter is on its way/)
})

const testRedis = redisProgram === undefined ? test.skip : test
if (redisProgram === undefined) tellNoServer('the example of redis is', 'redis-server')

testRedis('redis: two processes have the same sessions, and a log-out everywhere is one in both', async (t) => {
  const { url } = await borrowRedis(t)
  const port = await freePort()
  const program = start(t, script('redis'), { cwd: folder(t), env: { PORT: String(port), REDIS_URL: url } })
  await program.says(/^http:/m)
  const browsers = [0, 1].map(() => clientOf(`http://127.0.0.1:${port}`))
  const processes = new Set<string>()
  for (const browser of browsers) {
    await browser.text('/login/ada')
    for (let visit = 2; visit < 8; visit++) {
      const [, found, by] = /^ada, visit (\d+), answered by process (\d+)\n$/.exec(await browser.text('/'))!
      t.is(Number(found), visit)
      processes.add(by!)
    }
  }
  t.true(processes.size <= 2)
  t.is(await browsers[0]!.text('/logout-everywhere'), '2 sessions ended\n')
  for (const browser of browsers) t.regex(await browser.text('/'), /^nobody, visit 1,/)
})

/** Both programs are the same site. */
const askTheBroker = async (t: ExecutionContext, url: string): Promise<void> => {
  const client = clientOf(url)
  t.is(await client.text('/'), 'You asked the broker about: nothing\n')
  t.is(await client.text('/broker/gold'), 'The broker knows all about gold.\n')
  await client.text('/broker/tin')
  t.is(await client.text('/'), 'You asked the broker about: gold, tin\n')
}

test('several applications see one session', async (t) => askTheBroker(t, await run(t, 'several-applications')))

test('composite: the same, put together in an INI file', async (t) => {
  const args = ['serve', join(root, 'examples/composite/site.ini'), '--port', '0']
  const program = start(t, join(root, 'dist/bin/phial.js'), { cwd: folder(t), args, env: { PHIAL_SECRET: SECRET } })
  const [url] = await program.says(/http:\/\/127\.0\.0\.1:\d+/)
  await askTheBroker(t, url)
  t.is(await clientOf(url).text('/broker/lead'), 'Ask about gold silver tin: /broker/gold\n')
})

test('without cookies: the id goes out and comes back in a header', async (t) => {
  const url = await run(t, 'without-cookies')
  const call = async (id?: string): Promise<readonly [text: string, id: string]> => {
    const answer = await fetch(url, { headers: id === undefined ? {} : { 'X-Session': id } })
    t.is(answer.headers.get('set-cookie'), null)
    return [await answer.text(), answer.headers.get('x-session')!]
  }
  const [first, id] = await call()
  t.is(first, 'call 1\n')
  t.deepEqual(await call(id), ['call 2\n', id])
  const unknown = 'A'.repeat(43)
  const [other, fresh] = await call(unknown)
  t.is(other, 'call 1\n')
  t.not(fresh, unknown)
  t.deepEqual(await call(id), ['call 3\n', id])
})

test('parallel updates: nothing is lost', async (t) => {
  const program = start(t, script('parallel-updates'), { cwd: folder(t) })
  t.deepEqual(await program.ended, { code: 0, signal: null })
  t.is(program.output, 'keys of their own: 100, counted: 100\n')
})

const upgrade = (url: string, cookie: string): Promise<{ readonly answer: IncomingMessage; readonly socket: Duplex | undefined }> =>
  new Promise((resolve, reject) => {
    const asking = request(url, { headers: { Connection: 'Upgrade', Upgrade: 'echo', Cookie: cookie } })
    asking.on('upgrade', (answer, socket) => resolve({ answer, socket }))
    asking.on('response', (answer) => resolve({ answer: answer.resume(), socket: undefined }))
    asking.on('error', reject)
    asking.end()
  })

const lineFrom = async (socket: Duplex): Promise<string> => {
  let text = ''
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    text += String(chunk)
    if (text.endsWith('\n')) break
  }
  return text
}

test('upgrade: the connection has the session, to read and to write', async (t) => {
  const url = await run(t, 'upgrade')
  const client = clientOf(url)
  await client.text()

  const refused = await upgrade(url, '')
  t.is(refused.answer.statusCode, 401)

  const { answer, socket } = await upgrade(url, await client.cookies())
  t.is(answer.statusCode, 101)
  socket!.write('hello\n')
  t.is(await lineFrom(socket!), 'Ada, line 1: hello\n')
  socket!.end()

  const { socket: later } = await upgrade(url, await client.cookies())
  later!.write('again\n')
  t.is(await lineFrom(later!), 'Ada, line 2: again\n')
  later!.end()
})

test('revive: values of a class come back as such', async (t) => {
  const client = clientOf(await run(t, 'revive'))
  t.is(await client.text(), 'In your purse: 2.50 crowns\n')
  t.is(await client.text(), 'In your purse: 5.00 crowns\n')
})

test('cache in front: a page is answered without the store, and an ended session is not', async (t) => {
  const cwd = folder(t)
  const url = await run(t, 'cache-in-front', {}, cwd)
  const client = clientOf(url)
  t.is(await client.text('/visit'), 'visits: 1\n')
  t.is(await client.text('/visit'), 'visits: 2\n')
  const copy = clientOf(url, client.jar.cloneSync())
  t.is(await client.text(), 'visits: 2\n')
  rmSync(join(cwd, 'data'), { recursive: true })
  t.is(await client.text(), 'visits: 2\n')
  t.is(await client.text('/leave'), 'visits: 0\n')
  t.is(await copy.text(), 'visits: 0\n')
})

test('migrating: sessions are there in every step, for as long as they last', async (t) => {
  const cwd = folder(t)
  const at = async (step: string) => {
    const url = await run(t, 'migrating', { STEP: step, PHIAL_SECRET: SECRET }, cwd)
    return (jar: CookieJar): Promise<string> => clientOf(url, jar).text()
  }
  const [ann, bob, eve] = [new CookieJar(), new CookieJar(), new CookieJar()]
  const first = await at('1')
  t.is(await first(ann), 'visit 1\n')
  const second = await at('2')
  t.is(await second(ann), 'visit 2\n')
  t.is(await second(bob), 'visit 1\n')
  t.is(await first(bob), 'visit 2\n')
  const third = await at('3')
  t.is(await third(ann), 'visit 3\n')
  t.is(await third(eve), 'visit 1\n')
  t.is(await second(eve), 'visit 2\n')
  const fourth = await at('4')
  t.is(await fourth(eve), 'visit 3\n')
  t.is(await third(eve), 'visit 4\n')
})

test('language: what was chosen once is spoken on all pages', async (t) => {
  const client = clientOf(await run(t, 'language'))
  t.is(await client.text(), 'Good day!\n')
  t.is(await client.text('/?lang=fr'), 'Bonjour!\n')
  const answer = await client.get('/elsewhere')
  t.is(await answer.text(), 'Bonjour!\n')
  t.is(answer.headers.get('content-language'), 'fr')
  t.is(await client.text('/?lang=__proto__'), 'Bonjour!\n')
})

;(hasMemcached() ? test : test.skip)('memcache: two programs count together, and without a memcached they say so', async (t) => {
  const server = await startMemcached(t)
  const env = { MEMCACHE_URL: server.url, PHIAL_SECRET: SECRET }
  const one = clientOf(await run(t, 'memcache', env))
  const other = clientOf(await run(t, 'memcache', env), one.jar)
  t.deepEqual([await one.text(), await other.text(), await one.text()], ['visit 1\n', 'visit 2\n', 'visit 3\n'])
  await server.kill()
  const answer = await other.get()
  t.deepEqual([answer.status, await answer.text()], [503, 'Nobody counts just now.\n'])
})

test('csrf: a letter of the page\'s own form is sent, a forged one is not', async (t) => {
  const client = clientOf(await run(t, 'csrf'))
  const page = await client.text()
  t.regex(page, /Letters sent: 0/)
  const send = async (csrf_token: string): Promise<number> =>
    (await client.get('/', { method: 'POST', body: new URLSearchParams({ csrf_token, to: 'Ann' }) })).status
  t.is(await send(/value="([\w-]+)"/.exec(page)![1]!), 303)
  t.is(await send('A'.repeat(65)), 403)
  t.regex(await client.text(), /Letters sent: 1/)
})

test('messages: an error is on the page itself, a success on the next, once', async (t) => {
  const client = clientOf(await run(t, 'messages'))
  const send = (letter: string): Promise<Response> => client.get('/', { method: 'POST', body: new URLSearchParams({ letter }) })
  t.regex(await (await send('')).text(), /<p class="error"><b>Error<\/b> A letter without words is not sent\.<\/p>/)
  t.is((await send('Hello')).status, 303)
  t.regex(await client.text(), /<p class="success" data-life="5000"><b>Sent<\/b> Your letter is on its way\.<\/p>/)
  t.notRegex(await client.text(), /class=/)
})

test('current session: controllers and helpers share the session of their own request', async (t) => {
  const url = await run(t, 'current-session')
  const [ada, bob] = [clientOf(url), clientOf(url)]
  t.is(await ada.text('/name/Ada'), 'Good day, Ada!\n')
  t.is(await ada.text('/'), 'Good day, Ada! This is your page 1.\n')
  t.deepEqual(await Promise.all([ada.text('/'), bob.text('/')]), ['Good day, Ada! This is your page 2.\n', 'Good day, stranger! This is your page 1.\n'])
})

tellMissing('the example of datastore is')

;(missingEmulator === undefined ? test : test.skip)('datastore: who logs out everywhere is logged out in every browser', async (t) => {
  const { port } = await borrowEmulator(t)
  const url = await run(t, 'datastore', { DATASTORE_EMULATOR_HOST: `127.0.0.1:${port}` })
  const [one, other] = [clientOf(url), clientOf(url)]
  while ((await clientOf(url).get()).status !== 200) await sleep(50) // both have just been started
  t.is(await one.text('/login?user=ann'), 'ann, visit 1\n')
  t.is(await other.text('/login?user=ann'), 'ann, visit 1\n')
  t.is(await other.text(), 'ann, visit 2\n')
  t.is(await one.text('/everywhere'), 'Logged out, 2 times.\n')
  t.is(await other.text(), 'Somebody, visit 1\n')
})

test('named sessions: three in one request, each with a cookie of its own', async (t) => {
  const client = clientOf(await run(t, 'named-sessions'))
  t.is(await client.text('/buy/pears'), 'table: pears\n')
  t.is(await client.text('/list'), 'list: pears\n')
  t.is(await client.text('/buy/plums'), 'list: pears, plums\n')
  t.deepEqual((await client.cookies()).split('; ').map((pair) => pair.split('=')[0]!.replace(/-seen$/, '')).toSorted(), ['phial.cart', 'phial.view'])
  t.is(await client.text('/leave'), 'list: \n')
  t.is(await client.text('/'), 'list: \n')
})

test('notifications: told once', async (t) => {
  const client = clientOf(await run(t, 'notifications'))
  t.is(await client.text(), 'Nothing new.\n')
  await client.text('/work/5')
  await client.text('/work/7')
  t.is(await client.text(), 'work 5: 10\nwork 7: 14\n')
  t.is(await client.text(), 'Nothing new.\n')
})
