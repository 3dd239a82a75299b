import { chromium } from 'playwright-core'
import type { Browser, BrowserContext, BrowserContextOptions, LaunchOptions, Page } from 'playwright-core'
import { existsSync } from 'node:fs'
import type { Teardown } from './app.js'
import { listen } from './app.js'
import { findProgram } from './server-process.js'

/** `CHROMIUM` names one that is elsewhere, or is called otherwise. */
export const chromiumProgram: string | undefined = [process.env['CHROMIUM'] ?? '', findProgram('chromium') ?? ''].find(existsSync)

/** For a machine that does much else. */
const PATIENCE_MS = 60_000

/** One for all tests of a file; each makes a context of its own, which shares nothing with the others. */
export const launch = async (t: Teardown, options: LaunchOptions = {}): Promise<Browser> => {
  const browser = await chromium.launch({ executablePath: chromiumProgram!, timeout: PATIENCE_MS, ...options })
  t.teardown(() => browser.close())
  return browser
}

/** What a person has open: cookies of its own, and no scripts, since the site is to work without. */
export const person = async (t: Teardown, browser: Browser, options: BrowserContextOptions = {}): Promise<BrowserContext> => {
  const context = await browser.newContext({ javaScriptEnabled: false, ...options })
  context.setDefaultTimeout(PATIENCE_MS)
  t.teardown(() => context.close())
  return context
}

export const press = (page: Page, name: string): Promise<void> => page.getByRole('button', { name, exact: true }).click()

export const words = (page: Page): Promise<string> => page.locator('main').innerText()

/** Another site, of one page. */
export const anotherSite = async (t: Teardown, html: string): Promise<string> =>
  (await listen(t, (_, res) => res.setHeader('Content-Type', 'text/html').end(html))).url
