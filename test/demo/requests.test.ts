import test from 'ava'
import { clientOf } from '../support/app.js'
import type { Client } from '../support/app.js'
import { freshFolder, startSite, submit, tokenFrom } from '../support/demo-site.js'

const cleanups: (() => unknown)[] = []
const suite = { teardown: (fn: () => unknown) => void cleanups.unshift(fn) }
let url: string

test.before(async () => {
  ({ url } = await startSite(suite, freshFolder(suite)))
})

test.after.always(async () => {
  for (const cleanup of cleanups) await cleanup()
})

const browser = (): Client => clientOf(url)

const PATHS = [
  '/', '/counter', '/basic', '/cart', '/session', '/flash', '/flash/kept', '/flash/now', '/flash/aside', '/letters', '/tea', '/tea/read', '/language', '/login', '/guarded',
  '/garden/', '/kitchen', '/named', '/cookies', '/visits/',
]

/** The headers of a client with a session and a token of it. */
const ownHeaders = async (): Promise<Record<string, string>> => {
  const client = browser()
  return { 'X-CSRF-Token': await tokenFrom(client, '/cart'), cookie: await client.cookies(), 'Content-Type': 'application/x-www-form-urlencoded' }
}

const post = async (body: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${url}/cart/add`, { method: 'POST', body, redirect: 'manual', headers: { ...(await ownHeaders()), ...headers } })

const POLICY = ["default-src 'none'", "style-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"]

test('every answer carries strict headers', async (t) => {
  for (const path of [...PATHS, '/style.css', '/icon.svg', '/nowhere', '/cart/add', '/flash/broken', '/garden/x']) {
    const { headers } = await browser().get(path)
    const policy = headers.get('content-security-policy')!
    for (const rule of POLICY) t.true(policy.includes(rule), `${path}: ${rule}`)
    t.false(policy.includes('script-src') || policy.includes('unsafe'), path)
    t.is(headers.get('x-content-type-options'), 'nosniff', path)
    t.is(headers.get('referrer-policy'), 'same-origin', path)
    t.is(headers.get('cross-origin-opener-policy'), 'same-origin', path)
    t.is(headers.get('cross-origin-resource-policy'), 'same-origin', path)
    if (!/css|svg/.test(path)) t.is(headers.get('cache-control'), 'no-store', path)
  }
})

test('the cookie is kept from scripts and from forms of other sites', async (t) => {
  const answer = await browser().get('/counter')
  t.regex(answer.headers.get('set-cookie')!, /^phial=[^;]+; Path=\/; HttpOnly; SameSite=Lax$/)
})

test('pages hold no script and no style of their own', async (t) => {
  for (const path of PATHS) {
    const text = (await browser().text(path)).replace(/<figure.*<\/figure>/s, '')
    t.notRegex(text, /<script|<style| style=| on[a-z]+=|javascript:/, path)
    t.regex(text, /<link rel="stylesheet" href="\/style\.css">/, path)
  }
  t.regex((await browser().get('/style.css')).headers.get('content-type')!, /^text\/css/)
})

test('an unknown path is 404', async (t) => {
  for (const path of ['/nowhere', '/cart/', '/cart/steal', '/__proto__', '/constructor', '/%2e%2e/package.json', '//']) {
    const answer = await fetch(url + path)
    t.is(answer.status, 404, path)
    t.regex(await answer.text(), /<h1>Not Found<\/h1>/)
  }
})

test('a method that does not work is 405, with those that do', async (t) => {
  const cases = [
    ['POST', '/counter', 'GET, HEAD'],
    ['PUT', '/cart', 'GET, HEAD'],
    ['GET', '/cart/add', 'POST'],
    ['DELETE', '/cart/add', 'POST'],
    ['POST', '/style.css', 'GET, HEAD'],
  ] as const
  for (const [method, path, allow] of cases) {
    const answer = await fetch(url + path, { method, headers: await ownHeaders() })
    t.is(answer.status, 405, path)
    t.is(answer.headers.get('allow'), allow, path)
  }
})

test('HEAD answers as GET does, without a body; what stands after a question mark changes nothing', async (t) => {
  const answer = await fetch(`${url}/cart?add-product=foo`, { method: 'HEAD' })
  t.is(answer.status, 200)
  t.true(Number(answer.headers.get('content-length')) > 1000)
  t.is(await answer.text(), '')
})

test('a form that is too large is 413, however it is sent', async (t) => {
  const large = `product=${'x'.repeat(20_000)}`
  t.is((await post(large)).status, 413)
  const streamed = new ReadableStream({
    start(controller) {
      for (let i = 0; i < 20; i++) controller.enqueue(Buffer.from('x'.repeat(1_000)))
      controller.close()
    },
  })
  const headers = await ownHeaders()
  t.is((await fetch(`${url}/cart/add`, { method: 'POST', body: streamed, duplex: 'half', headers })).status, 413)
  t.is((await post(`product=Camphor&filler=${'x'.repeat(8_000)}`)).status, 303)
})

test('a form that cannot be read, or asks for what there is not, is 400', async (t) => {
  const unreadable = ['product=%', 'product=%zz', 'product=%ff%fe', 'product=Käse', '%=Camphor', 'product=Camphor ']
  const unknown = ['product=Opium', 'product=', 'produce=Camphor', '', '&&', '=', 'product']
  const refusal = async (body: string): Promise<string | undefined> => {
    const answer = await post(body)
    t.is(answer.status, 400, body)
    return /<p class="notice error" role="alert">(.*?)<\/p>/.exec(await answer.text())?.[1]
  }
  for (const body of unreadable) t.is(await refusal(body), 'The form cannot be read.', body)
  for (const body of unknown) t.is(await refusal(body), 'There is no such product.', body)
  t.is((await post('product=Oil+of%20cloves')).status, 303)
  for (const name of ['', ' ', 'x'.repeat(41)]) t.is((await submit(browser(), '/login/in', { name })).status, 400)
})

test('what is no form is 415', async (t) => {
  const answerTo = async (type: string): Promise<number> => (await post('product=Camphor', { 'Content-Type': type })).status
  for (const type of ['application/json', 'text/plain', 'multipart/form-data; boundary=x', '']) t.is(await answerTo(type), 415, type)
  t.is(await answerTo('Application/X-WWW-Form-Urlencoded; charset=UTF-8'), 303)
})

test('a form that another site sends, or without a token of the session, is a page with 403 and changes nothing', async (t) => {
  const client = browser()
  const token = await tokenFrom(client, '/cart')
  const stranger = await tokenFrom(browser(), '/cart')
  const cookie = await client.cookies()
  const host = new URL(url).host
  const answerTo = (headers: Record<string, string>, fields = ''): Promise<Response> =>
    post(`product=Camphor${fields}`, { cookie, 'X-CSRF-Token': token, ...headers })
  const foreign: Record<string, string>[] = [
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
    { 'Sec-Fetch-Site': 'cross-site', Origin: url },
    { Origin: 'https://example.com' },
    { Origin: 'null' },
    { Origin: `http://${host}.example.com` },
    { Origin: host },
    { 'X-CSRF-Token': stranger },
    { 'X-CSRF-Token': '' },
    { 'X-CSRF-Token': token, cookie: '' },
  ]
  for (const headers of foreign) {
    const answer = await answerTo(headers)
    t.is(answer.status, 403, JSON.stringify(headers))
    t.regex(await answer.text(), /<h1>Forbidden<\/h1>.*<a href="\/cart">Back<\/a>/s)
  }
  t.regex(await client.text('/cart'), /The cart is empty/)
  const own: Record<string, string>[] = [{ Origin: url }, { 'Sec-Fetch-Site': 'same-origin' }, {}]
  for (const headers of own) t.is((await answerTo(headers)).status, 303, JSON.stringify(headers))
  t.regex(await client.text('/cart'), /Products in cart: 3/)
})

test('the way back from an error leads to a page of the site', async (t) => {
  const backFrom = async (path: string): Promise<string | undefined> => /<a href="([^"]*)">Back/.exec(await (await fetch(url + path)).text())?.[1]
  t.is(await backFrom('/flash/broken'), '/flash')
  t.is(await backFrom('/garden/stones'), '/garden/')
  for (const path of ['//example.com/x', '/\\example.com/x', '/a/b/c', '/nowhere']) t.is(await backFrom(path), '/', path)
})
