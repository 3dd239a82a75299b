import ava from 'ava'
import type { Browser } from 'playwright-core'
import { anotherSite, chromiumProgram, launch, person, press, words } from '../support/demo-browser.js'
import { freshFolder, startSite } from '../support/demo-site.js'
import { tellMissing } from '../support/redis-server.js'

const test = chromiumProgram === undefined ? ava.serial.skip : ava.serial
if (chromiumProgram === undefined) tellMissing('Tests of pages in a browser', 'chromium')

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

test('a flash is shown once', async (t) => {
  const page = await (await person(t, browser)).newPage()
  await page.goto(`${url}/flash`)
  await press(page, 'Do something')
  t.is(await page.getByRole('status').innerText(), 'Saved, as far as this demo saves anything.')
  await page.reload()
  t.regex(await words(page), /No flash is waiting/)
})

test('a flash read on a page that fails is still there on the next', async (t) => {
  const page = await (await person(t, browser)).newPage()
  await page.goto(`${url}/flash`)
  await press(page, 'Do something, then open a page that fails')
  t.regex(await words(page), /Internal Server Error\s+This page read the flash, and failed/)
  await page.getByRole('link', { name: 'Back' }).click()
  t.is(await page.getByRole('status').innerText(), 'Saved, as far as this demo saves anything.')
})

test('of two tabs one gets a notification', async (t) => {
  const context = await person(t, browser)
  const [one, other] = [await context.newPage(), await context.newPage()]
  await one.goto(`${url}/tea`)
  await press(one, 'The tea is ready')
  await other.goto(`${url}/tea`)
  for (const tab of [one, other]) await tab.getByText('Read them').click()
  t.regex(await words(one), /The tea is ready/)
  t.notRegex(await words(other), /The tea is ready/)
})

test('a message about a form stands on the same page, and one about what was done on the next', async (t) => {
  const page = await (await person(t, browser)).newPage()
  await page.goto(`${url}/letters`)
  await press(page, 'Send it')
  t.is(await page.getByRole('alert').innerText(), 'Error. A letter without words is not sent.')
  await page.getByLabel('Letter').fill('Dear all')
  await press(page, 'Send it')
  t.is(await page.getByRole('status').first().innerText(), 'Sent. It has 8 characters.')
  t.is(await page.getByRole('alert').count(), 0)
})

test('the language is that of the browser until another is chosen', async (t) => {
  const page = await (await person(t, browser, { locale: 'fr-FR' })).newPage()
  await page.goto(`${url}/language`)
  t.regex(await words(page), /Bonjour !/)
  await press(page, 'Deutsch')
  t.regex(await words(page), /Guten Tag!/)
})

test('what is picked in one application is in the other', async (t) => {
  const page = await (await person(t, browser)).newPage()
  await page.goto(`${url}/garden`)
  await press(page, 'Sage')
  await page.locator('main').getByRole('link', { name: 'kitchen', exact: true }).click()
  await press(page, 'Brew a tea')
  t.is(await page.getByRole('status').innerText(), 'A tea of Sage.')
})

test('two tabs have two tokens, and both are good', async (t) => {
  const context = await person(t, browser)
  const [one, other] = [await context.newPage(), await context.newPage()]
  for (const tab of [one, other]) await tab.goto(`${url}/guarded`)
  const [first, second] = await Promise.all([one, other].map((tab) => tab.locator('[name=csrf_token]').getAttribute('value')))
  t.is(first?.length, 65)
  t.not(first, second)
  for (const tab of [one, other]) await press(tab, 'Send a letter')
  t.regex(await words(other), /^Forged forms\s+2/)
})

test('a form without a token is refused with a page, and the way back leads to the form', async (t) => {
  const page = await (await person(t, browser)).newPage()
  await page.goto(`${url}/guarded`)
  await press(page, 'Send a forged letter')
  t.is(await page.getByRole('alert').innerText(), 'The request brought no token.')
  await page.getByRole('link', { name: 'Back' }).click()
  t.regex(await words(page), /^Forged forms\s+0/)
})

for (const [where, from] of [['another site', '//localhost'], ['another port of the same host', '//127.0.0.1']] as const) {
  test(`a form of ${where} is refused, even with a token`, async (t) => {
    const page = await (await person(t, browser)).newPage()
    await page.goto(`${url}/guarded`)
    const token = await page.locator('[name=csrf_token]').getAttribute('value')
    const evil = await anotherSite(t, `<form method="post" action="${url}/guarded/send"><input type="hidden" name="csrf_token" value="${token}"><button>You have won</button></form>`)
    await page.goto(evil.replace('//127.0.0.1', from))
    const [answer] = await Promise.all([page.waitForResponse(`${url}/guarded/send`), press(page, 'You have won')])
    t.is(answer.status(), 403)
    const { cookie, 'sec-fetch-site': site } = await answer.request().allHeaders()
    t.deepEqual([site, cookie !== undefined], from === '//localhost' ? ['cross-site', false] : ['same-site', true])
    t.is(await page.getByRole('alert').innerText(), 'The request came from another site.')
    await page.goto(`${url}/guarded`)
    t.regex(await words(page), /^Forged forms\s+0/)
  })
}

test('a form from before a log-in is refused after it', async (t) => {
  const context = await person(t, browser)
  const [old, page] = [await context.newPage(), await context.newPage()]
  await old.goto(`${url}/guarded`)
  await page.goto(`${url}/login`)
  await page.getByLabel('Name').fill('Cy')
  await press(page, 'Log in')
  await press(old, 'Send a letter')
  t.is(await old.getByRole('alert').innerText(), 'The form expired: its token is not of this session.')
})

/** Two things see to it: the site's `no-store`, and `Vary: Cookie` of phial's, where the cookie is another one now. */
test('after log-out the back button shows nothing of the user', async (t) => {
  const page = await (await person(t, browser)).newPage()
  await page.goto(`${url}/login`)
  await page.getByLabel('Name').fill('Dorothea')
  await press(page, 'Log in')
  await page.goto(`${url}/session`)
  t.regex(await words(page), /Dorothea/)
  await page.goto(`${url}/login`)
  t.regex(await words(page), /Dorothea/)
  await press(page, 'Log out')
  for (let steps = 0; steps < 4; steps++) {
    t.notRegex(await words(page), /Dorothea/, page.url())
    if (await page.goBack() === null) break
  }
  t.true(page.url().startsWith(url))
})

for (const [width, colorScheme] of [[390, 'light'], [390, 'dark'], [1280, 'light']] as const) {
  test(`every page fits ${width} pixels, ${colorScheme}, and the browser complains of nothing`, async (t) => {
    const page = await (await person(t, browser, { viewport: { width, height: 844 }, colorScheme, javaScriptEnabled: true })).newPage()
    const complaints: string[] = []
    page.on('console', (message) => complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(error.message))
    await page.goto(url)
    const links = await page.locator('nav a').evaluateAll((all) => all.map((link) => (link as unknown as { href: string }).href))
    t.is(links.length, 15)
    for (const link of [url, ...links]) {
      await page.goto(link)
      t.is(await page.evaluate('document.documentElement.scrollWidth - innerWidth'), 0, link)
      t.is(await page.evaluate('getComputedStyle(document.body).backgroundColor'), colorScheme === 'dark' ? 'rgb(17, 23, 21)' : 'rgb(251, 250, 246)')
    }
    t.deepEqual(complaints, [])
  })
}
