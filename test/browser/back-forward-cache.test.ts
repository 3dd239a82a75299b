// Browsers keep whole pages, as they were left, for the back button. Playwright switches that off unless it is told otherwise.
import ava from 'ava'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import type { Teardown } from '../support/app.js'
import { serve } from '../support/app.js'
import { chromiumProgram, launch, person, press, words } from '../support/demo-browser.js'
import { freshFolder, startSite } from '../support/demo-site.js'
import { tellMissing } from '../support/redis-server.js'

const test = chromiumProgram === undefined ? ava.serial.skip : ava.serial
if (chromiumProgram === undefined) tellMissing('Tests of the back/forward cache', 'chromium')

const cleanups: (() => unknown)[] = []
let browser: Browser

ava.before(async () => {
  if (chromiumProgram === undefined) return
  browser = await launch({ teardown: (fn) => void cleanups.unshift(fn) }, { ignoreDefaultArgs: ['--disable-back-forward-cache'] })
})

ava.after.always(async () => {
  for (const cleanup of cleanups) await cleanup()
})

/** Whose pages note how they were shown. */
const watcher = async (t: Teardown): Promise<BrowserContext> => {
  const context = await person(t, browser, { javaScriptEnabled: true })
  await context.addInitScript(`
    addEventListener('pageshow', ({ persisted }) => { globalThis.persisted = persisted })
    addEventListener('pagehide', () => { delete globalThis.persisted })`)
  return context
}

/** Goes back, and answers whether the page came out of the cache. */
const back = async (page: Page): Promise<boolean> => {
  await page.goBack({ waitUntil: 'commit' }) // a page out of the cache does not load
  for (;;) {
    const shown = await shownBy(page)
    if (shown !== '') return shown === 'true'
    await sleep(10)
  }
}

/** Not by `waitForFunction`, which looks again by means that the site's Content-Security-Policy refuses. A page that gives way to the next tells nothing. */
const shownBy = async (page: Page): Promise<string> => {
  try {
    return await page.evaluate<string>("'persisted' in globalThis ? String(persisted) : ''")
  } catch (error) {
    if (!/context was destroyed|navigat/i.test((error as Error).message)) throw error
    return ''
  }
}

test('after log-out every page of the site is asked for again, and shows nothing of the user; before, they come out of the cache', async (t) => {
  const { url } = await startSite(t, freshFolder(t))
  const context = await watcher(t)
  const [page, other] = [await context.newPage(), await context.newPage()]
  await page.goto(`${url}/login`)
  await page.getByLabel('Name').fill('Dorothea')
  await press(page, 'Log in')
  await page.getByText('You are logged in as').waitFor()
  for (const path of ['/session', '/login']) {
    await page.goto(url + path)
    await other.goto(url + path)
  }
  t.true(await back(other))
  t.regex(await words(other), /Dorothea/)
  await press(page, 'Log out')
  await page.getByText('You are not logged in').waitFor()
  for (const path of ['/login', '/session', '/login', '/login']) {
    t.false(await back(page), path)
    t.is(page.url(), url + path)
    t.notRegex(await words(page), /Dorothea/, path)
  }
})

for (const [cacheControl, shown] of [['no-store', 'nobody'], ['private', 'Dorothea'], ['no-cache', 'Dorothea']] as const) {
  test(`a page with Cache-Control: ${cacheControl} shows ${shown} when the browser goes back to it after log-out`, async (t) => {
    const { url } = await serve(t, async (req, res) => {
      const session = await req.session.load()
      if (req.url === '/in') await session.set('user', 'Dorothea').save()
      if (req.url === '/out') await session.destroy()
      res.setHeader('Content-Type', 'text/html').setHeader('Cache-Control', cacheControl)
      res.end(`<main>${session.get('user', 'nobody')}</main>`)
    })
    const page = await (await watcher(t)).newPage()
    for (const path of ['/in', '/private', '/out']) await page.goto(url + path)
    t.is(await back(page), shown !== 'nobody')
    t.is(await words(page), shown)
  })
}
