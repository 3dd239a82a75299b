import test from 'ava'
import { CookieJar } from 'tough-cookie'
import { clientOf } from '../support/app.js'
import type { Client } from '../support/app.js'
import { freshFolder, startSite, submit, submitAndFollow, wordsOf } from '../support/demo-site.js'

const cleanups: (() => unknown)[] = []
const suite = { teardown: (fn: () => unknown) => void cleanups.unshift(fn) }
let url: string

test.before(async () => {
  ({ url } = await startSite(suite, freshFolder(suite)))
})

test.after.always(async () => {
  for (const cleanup of cleanups) await cleanup()
})

const browser = (jar?: CookieJar): Client => clientOf(url, jar)
const read = async (client: Client, path: string): Promise<string> => wordsOf(await client.text(path))
const paths = [
  '/counter', '/basic', '/cart', '/session', '/flash', '/letters', '/tea', '/language', '/login', '/guarded', '/garden/', '/kitchen/', '/named', '/cookies', '/visits/',
]

test('the first page touches no session: no cookie, and the same for everybody', async (t) => {
  const answer = await browser().get('/')
  t.is(answer.status, 200)
  t.is(answer.headers.get('set-cookie'), null)
  t.is(answer.headers.get('vary'), null)
  const text = await answer.text()
  for (const path of paths) t.true(text.includes(`<a href="${path}"><b>`), path)
})

test('the counter counts for each browser by itself', async (t) => {
  const [one, other] = [browser(), browser()]
  t.regex(await read(one, '/counter'), /^Counter 1 visit to/)
  t.regex(await read(one, '/counter'), /^Counter 2 visits to/)
  t.regex(await read(other, '/counter'), /^Counter 1 visit to/)
  t.regex(await read(one, '/counter'), /^Counter 3 visits to/)
})

test('the counter counts tabs that load at once', async (t) => {
  const client = browser()
  await client.get('/counter')
  await Promise.all(Array.from({ length: 10 }, () => client.get('/counter')))
  t.regex(await read(client, '/counter'), /^Counter 12 visits/)
})

test('the basic page sets a value at first, finds it then, and deletes the session with its cookie', async (t) => {
  const client = browser()
  t.regex(await read(client, '/basic'), /Session was not set!/)
  t.regex(await read(client, '/basic'), /Session has a value stored for “foo”: bar/)
  t.regex(await client.cookies(), /^phial=/)
  const old = browser(await client.jar.clone())
  t.regex(await submitAndFollow(client, '/basic/delete'), /Session was not set!/)
  t.regex(await read(old, '/basic'), /Session was not set!/)
  await submit(client, '/basic/delete')
  t.is(await client.cookies(), '')
})

test('the cart takes products, gives one of them back, and is cleared', async (t) => {
  const client = browser()
  t.regex(await read(client, '/cart'), /Your cart The cart is empty\./)
  for (const product of ['Camphor', 'Rose water', 'Camphor']) await submit(client, '/cart/add', { product })
  t.regex(await read(client, '/cart'), /Your cart Camphor Remove Camphor Rose water Remove Rose water Camphor Remove Camphor Products .*: 3/)
  const fewer = wordsOf(await submitAndFollow(client, '/cart/remove', { product: 'Camphor' }))
  t.regex(fewer, /Your cart Rose water .* Camphor .* Products in cart: 2/)
  t.regex(wordsOf(await submitAndFollow(client, '/cart/remove', { product: 'Quicksilver' })), /Products in cart: 2/)
  t.regex(wordsOf(await submitAndFollow(client, '/cart/clear')), /The cart is empty\./)
})

test('the cart keeps what several tabs add at once, up to its limit', async (t) => {
  const client = browser()
  const add = (): Promise<Response> => submit(client, '/cart/add', { product: 'Camphor' })
  await add()
  await Promise.all(Array.from({ length: 8 }, add))
  t.regex(await read(client, '/cart'), /Products in cart: 9/)
  for (let count = 9; count < 22; count++) await add()
  t.regex(await read(client, '/cart'), /Products in cart: 20/)
})

test('logging in changes the id and keeps the cart; the id from before is dead', async (t) => {
  const client = browser()
  await submit(client, '/cart/add', { product: 'Camphor' })
  const before = await client.cookies()
  const planted = browser(await client.jar.clone())
  const page = wordsOf(await submitAndFollow(client, '/login/in', { name: ' Ada ' }))
  t.regex(page, /^Log in Welcome, Ada\. You are logged in as Ada , since \d{4}-/)
  t.notRegex(await read(client, '/login'), /Welcome/)
  t.not(await client.cookies(), before)
  t.regex(await read(client, '/cart'), /Products in cart: 1/)
  t.regex(await read(planted, '/cart'), /The cart is empty/)
  t.regex(await read(planted, '/login'), /You are not logged in/)
})

test('logging out kills the session and takes the cookie away', async (t) => {
  const client = browser()
  await submit(client, '/login/in', { name: 'Bea' })
  const copy = browser(await client.jar.clone())
  t.regex(await read(copy, '/login'), /logged in as Bea/)
  await submit(client, '/login/out')
  t.is(await client.cookies(), '')
  t.regex(await read(client, '/login'), /You are not logged in/)
  t.regex(await read(copy, '/login'), /You are not logged in/)
})

const logInTwice = async (name: string): Promise<readonly [Client, Client]> => {
  const clients = [browser(), browser()] as const
  for (const client of clients) await submit(client, '/login/in', { name })
  return clients
}

test('logging out everywhere ends all sessions of the user and of nobody else', async (t) => {
  const [here, there] = await logInTwice('Cy')
  const stranger = browser()
  await submit(stranger, '/login/in', { name: 'Cyd' })
  t.is((await read(here, '/login')).match(/first seen/g)?.length, 2)
  await submit(here, '/login/out-everywhere')
  t.is(await here.cookies(), '')
  t.regex(await read(here, '/login'), /You are not logged in/)
  t.regex(await read(there, '/login'), /You are not logged in/)
  t.regex(await read(stranger, '/login'), /logged in as Cyd/)
})

test('logging out all others keeps this one', async (t) => {
  const [here, there] = await logInTwice('Dot')
  t.regex(await read(here, '/login'), /^Log in Welcome, Dot\./)
  const page = wordsOf(await submitAndFollow(here, '/login/out-elsewhere'))
  t.regex(page, /^Log in Logged out elsewhere: 1\. You are logged in as Dot/)
  t.regex(await read(there, '/login'), /You are not logged in/)
})

test('who is not logged in may ask to be logged out', async (t) => {
  for (const action of ['out', 'out-elsewhere', 'out-everywhere']) {
    t.regex(wordsOf(await submitAndFollow(browser(), `/login/${action}`)), /You are not logged in/)
  }
})

test('what a user left in a browser is not for the next one', async (t) => {
  const client = browser()
  await submit(client, '/login/in', { name: 'Eve' })
  await submit(client, '/cart/add', { product: 'Camphor' })
  await submit(client, '/login/in', { name: 'Eve' })
  t.regex(await read(client, '/cart'), /Products in cart: 1/)
  await submit(client, '/login/in', { name: 'Fay' })
  t.regex(await read(client, '/cart'), /The cart is empty/)
})

test('names are shown as they are, never as HTML', async (t) => {
  const page = await submitAndFollow(browser(), '/login/in', { name: `<b>&"'` })
  t.true(page.includes('logged in as <b>&#60;b&#62;&#38;&#34;&#39;</b>'))
  t.false(page.includes('<b><b>'))
})

test('the session page shows what is kept and when it ends, and never the id', async (t) => {
  const client = browser()
  await client.get('/counter')
  await client.get('/basic')
  const page = await client.text('/session')
  t.regex(wordsOf(page), /Made .* Last used .* Expires .* \(in 24 hours\) Belongs to nobody What is in it visits 1 foo &#34;bar&#34;/)
  const [made, , expires] = [...page.matchAll(/datetime="([^"]+)"/g)].map(([, time]) => Date.parse(time!))
  t.true(expires! - made! >= 86_400_000 && expires! - made! < 86_460_000)
  const [id] = decodeURIComponent((await client.cookies()).slice('phial='.length)).split('.')
  t.is(id!.length, 43)
  t.false(page.includes(id!))
})

test('the session page makes no session', async (t) => {
  const answer = await browser().get('/session')
  t.is(answer.headers.get('set-cookie'), null)
  t.regex(wordsOf(await answer.text()), /You have no session yet/)
})

test('a session without values says so', async (t) => {
  const client = browser()
  await submit(client, '/login/in', { name: 'Gus' })
  t.regex(await read(client, '/session'), /Belongs to Gus What is in it Nothing\./)
})

test('each page shows the lines that make it, as they stand in its source', async (t) => {
  const client = browser()
  const shown: Record<string, string> = {
    '/': 'withSession(shared, manager)',
    '/counter': 'req.session.update(',
    '/basic': 'await session.save()',
    '/cart': 'req.session.update(',
    '/session': 'session.expiresAt',
    '/flash': 'session.flashes()',
    '/letters': 'await messages(req)',
    '/tea': 'notesOf(req).takeAll()',
    '/tea/read': 'notesOf(req).takeAll()',
    '/language': 'session.set(&#39;lang&#39;, lang)',
    '/login': 'session.regenerateId({ authenticated: true })',
    '/guarded': 'csrf.guard(answer)',
    '/garden/': '&#39;/kitchen&#39;: kitchen',
    '/kitchen/': 'session.pop(&#39;herbs&#39;, [])',
    '/named': 'sessions(req).save()',
    '/cookies': 'format: &#39;signed&#39;',
    '/visits/': 'useCookies: false, id: idInAddress',
  }
  t.deepEqual(paths.filter((path) => shown[path] === undefined), [])
  for (const [path, line] of Object.entries(shown)) {
    const [, code] = /<figure class="code">(.*)<\/figure>/s.exec(await client.text(path))!
    t.true(code!.includes(line), path)
    t.notRegex(code!, /\/\/ (shown|end)\b/)
  }
})

test('each page knows its place among the others, and leads to the next', async (t) => {
  const client = browser()
  for (const [index, path] of paths.entries()) {
    const page = await client.text(path)
    t.true(page.includes(`<a href="${path}" aria-current="page">`), path)
    t.is(/<p class="next"><a href="(.*?)">/.exec(page)?.[1], paths[index + 1], path)
  }
})
