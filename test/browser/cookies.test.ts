import ava from 'ava'
import type { Browser, Cookie, Page } from 'playwright-core'
import { anotherSite, chromiumProgram, launch, person, press, words } from '../support/demo-browser.js'
import { freshFolder, startSite } from '../support/demo-site.js'
import { tellMissing } from '../support/redis-server.js'

const test = chromiumProgram === undefined ? ava.serial.skip : ava.serial
if (chromiumProgram === undefined) tellMissing('Tests of cookies in a browser', 'chromium')

const cleanups: (() => unknown)[] = []
const suite = { teardown: (fn: () => unknown) => void cleanups.unshift(fn) }
let browser: Browser
let url: string

ava.before(async () => {
  if (chromiumProgram === undefined) return
  browser = await launch(suite);
  ({ url } = await startSite(suite, freshFolder(suite)))
})

ava.after.always(async () => {
  for (const cleanup of cleanups) await cleanup()
})

const SECURE = { 'session.secure = auto': 'session.secure = true' }
const atLocalhost = (url: string): string => url.replace('127.0.0.1', 'localhost')

/** Without what differs each time. */
const attributesOf = ({ name, domain, path, httpOnly, secure, sameSite, expires }: Cookie): object => ({ name, domain, path, httpOnly, secure, sameSite, expires })

/** The cookies that a browser sends with the request for a page, by their names. */
const sentWith = async (page: Page, url: string, action: () => Promise<unknown>): Promise<string[]> => {
  const [request] = await Promise.all([page.waitForRequest(url), action()])
  const { cookie = '' } = await request.allHeaders()
  return cookie.split('; ').map((pair) => pair.split('=')[0]!).filter((name) => name !== '')
}

test('the cookie as the browser stores it: for this host, for all paths, until it closes, and for no script', async (t) => {
  const context = await person(t, browser, { javaScriptEnabled: true })
  const page = await context.newPage()
  await page.goto(`${url}/counter`)
  const [cookie, ...others] = await context.cookies()
  t.deepEqual(attributesOf(cookie!), { name: 'phial', domain: '127.0.0.1', path: '/', httpOnly: true, secure: false, sameSite: 'Lax', expires: -1 })
  t.deepEqual(others, [])
  t.is(await page.evaluate('document.cookie'), '')
})

test('with secure = true it is __Host-phial, and over http://localhost the browser takes it and sends it back', async (t) => {
  const site = await startSite(t, freshFolder(t, SECURE))
  const base = atLocalhost(site.url)
  const context = await person(t, browser)
  const page = await context.newPage()
  await page.goto(`${base}/counter`)
  const [cookie] = await context.cookies()
  t.deepEqual(attributesOf(cookie!), { name: '__Host-phial', domain: 'localhost', path: '/', httpOnly: true, secure: true, sameSite: 'Lax', expires: -1 })
  await page.reload()
  t.regex(await words(page), /2\s+visits/)
  await page.goto(`${base}/named`)
  await page.getByLabel('Pocket').fill('a song')
  await press(page, 'Save the notes')
  const pocket = (await context.cookies()).find(({ name }) => name === '__Host-phial.pocket')
  t.is(pocket?.secure, true)
})

test('SameSite=Lax: a link from another site brings the cookie along, a form of that site does not', async (t) => {
  const base = atLocalhost(url)
  const page = await (await person(t, browser)).newPage()
  await page.goto(`${base}/counter`)
  await page.goto(await anotherSite(t, `<a href="${base}/counter">there</a><form method="post" action="${base}/guarded/send"><button>send</button></form>`))
  t.deepEqual(await sentWith(page, `${base}/counter`, () => page.getByText('there').click()), ['phial'])
  t.regex(await words(page), /2\s+visits/)
  await page.goBack()
  t.deepEqual(await sentWith(page, `${base}/guarded/send`, () => press(page, 'send')), [])
  t.regex(await words(page), /The request came from another site/)
})

test('SameSite=Strict: a link from another site does not bring the cookie along, a link of the site itself does', async (t) => {
  const site = await startSite(t, freshFolder(t, { '#session.samesite = lax': 'session.samesite = strict' }))
  const base = atLocalhost(site.url)
  const context = await person(t, browser)
  const page = await context.newPage()
  await page.goto(`${base}/counter`)
  t.is((await context.cookies())[0]?.sameSite, 'Strict')
  await page.goto(await anotherSite(t, `<a href="${base}/session">there</a>`))
  t.deepEqual(await sentWith(page, `${base}/session`, () => page.getByText('there').click()), [])
  t.regex(await words(page), /You have no session yet/)
  t.deepEqual(await sentWith(page, `${base}/counter`, () => page.getByRole('link', { name: 'Counter' }).click()), ['phial'])
  t.regex(await words(page), /2\s+visits/)
})

test('several sessions have a cookie each, and that of the pocket is kept for thirty days', async (t) => {
  const context = await person(t, browser)
  const page = await context.newPage()
  await page.goto(`${url}/named`)
  for (const place of ['Shelf', 'Desk', 'Pocket']) await page.getByLabel(place).fill(place)
  await press(page, 'Save the notes')
  t.is(await page.getByLabel('Desk').inputValue(), 'Desk')
  const cookies = new Map((await context.cookies()).map((cookie) => [cookie.name, cookie]))
  for (const name of ['phial', 'phial.desk']) t.is(cookies.get(name)?.expires, -1, name)
  const days = (cookies.get('phial.pocket')!.expires - Date.now() / 1000) / 86_400
  t.true(days > 29.9 && days <= 30, String(days))
})

test('cookies of the application: as they were set, and a forged one is not believed', async (t) => {
  const context = await person(t, browser)
  const page = await context.newPage()
  await page.goto(`${url}/cookies`)
  await press(page, 'Set all three')
  const cookies = new Map((await context.cookies()).map((cookie) => [cookie.name, cookie]))
  t.deepEqual([...cookies.keys()].sort(), ['colour', 'phial', 'size', 'ticket'])
  t.is(cookies.get('colour')!.value, 'green')
  const seconds = cookies.get('colour')!.expires - Date.now() / 1000
  t.true(seconds > 3500 && seconds <= 3600, String(seconds))
  t.regex(await words(page), /\{"seat":7\}/)
  await context.addCookies([{ ...cookies.get('ticket')!, value: cookies.get('ticket')!.value.replace(/^./, (first) => (first === 'A' ? 'B' : 'A')) }])
  await page.reload()
  t.regex(await words(page), /not believed/)
  await press(page, 'Delete them')
  t.deepEqual((await context.cookies()).map(({ name }) => name), ['phial'])
})

test('without cookies none is stored, and the session goes along in the address', async (t) => {
  const context = await person(t, browser)
  const page = await context.newPage()
  await page.goto(`${url}/visits/`)
  for (let times = 0; times < 2; times++) await page.getByRole('link', { name: 'Once more' }).click()
  t.regex(await words(page), /3\s+visits in this session/)
  await press(page, 'End it')
  t.regex(await words(page), /1\s+visit in this session/)
  t.deepEqual(await context.cookies(), [])
})

test('log-in gives the browser another id, log-out takes the cookie away', async (t) => {
  const context = await person(t, browser)
  const page = await context.newPage()
  await page.goto(`${url}/login`)
  const [before] = await context.cookies()
  await page.getByLabel('Name').fill('Ada')
  await press(page, 'Log in')
  t.regex(await words(page), /Welcome, Ada\.\s+You are logged in as Ada/)
  const [after] = await context.cookies()
  t.is(after!.name, before!.name)
  t.not(after!.value, before!.value)
  await context.clearCookies()
  await context.addCookies([before!])
  await page.reload()
  t.regex(await words(page), /You are not logged in/)
  await context.clearCookies()
  await context.addCookies([after!])
  await page.reload()
  const [answer] = await Promise.all([page.waitForResponse(`${url}/login/out`), press(page, 'Log out')])
  t.regex((await answer.allHeaders())['set-cookie']!, /^phial=; Max-Age=0; /)
  t.regex(await words(page), /You are not logged in/)
  t.not((await context.cookies())[0]?.value, after!.value)
})

test('cart and log-in are still there when the server was restarted', async (t) => {
  const cwd = freshFolder(t)
  const site = await startSite(t, cwd)
  const page = await (await person(t, browser)).newPage()
  await page.goto(`${site.url}/login`)
  await page.getByLabel('Name').fill('Bea')
  await press(page, 'Log in')
  await page.goto(`${site.url}/cart`)
  await press(page, 'Add Camphor')
  await press(page, 'Add Quicksilver')
  t.regex(await words(page), /Products in cart: 2/)
  t.deepEqual(await site.program.stop('SIGTERM'), { code: 0, signal: null })

  const again = await startSite(t, cwd)
  await page.goto(`${again.url}/cart`)
  await press(page, 'Remove Camphor')
  t.regex(await words(page), /Quicksilver\s.*Products in cart: 1/s)
  await page.goto(`${again.url}/login`)
  t.regex(await words(page), /logged in as Bea/)
})
