import test from 'ava'
import type { ExecutionContext } from 'ava'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as phial from '../../src/index.js'
import { optionTables } from '../../backends/registry.js'
import { inIni, inTypeScript } from '../../config/notation.js'
import { targetFinder } from '../../config/targets.js'
import { clientOf } from '../support/app.js'
import type { Client } from '../support/app.js'
import { freePort, root, start } from '../support/demo-program.js'
import { doSteps, filesOn, siteWithPhial } from '../support/page-files.js'
import { borrowRedis, redisProgram } from '../support/redis-server.js'

const pages = readdirSync(join(root, 'docs')).filter((name) => name.startsWith('coming-from-'))
const read = (page: string): string => readFileSync(join(root, 'docs', page), 'utf8')

/** Deadlines are generous: a busy disk is not what is tested. */
const patient = (text: string): string => text
  .replace(/^(.*session\.)secure = auto$/m, '$&\n$1operation_timeout = 10\n$1request_budget = 20')
  .replace(/secure: 'auto'/, '$&, operationTimeout: 10, requestBudget: 20')

/** Runs the program of a page, in a folder that has its files and the package. */
const run = async (t: ExecutionContext, page: string, env: NodeJS.ProcessEnv = {}): Promise<Client> => {
  const files = Object.entries(filesOn(read(page))).map(([name, text]) => [name, patient(text)])
  const cwd = siteWithPhial(t, Object.fromEntries(files))
  const port = await freePort()
  const program = start(t, join(cwd, 'app.mjs'), { cwd, env: { PORT: String(port), ...doSteps(read(page), cwd), ...env } })
  await program.says(/^http:/m)
  return clientOf(`http://127.0.0.1:${port}`)
}

test('the program for those who come from Beaker runs as it stands', async (t) => {
  const browser = await run(t, 'coming-from-beaker-and-pylons.md')
  t.deepEqual([await browser.text('/'), await browser.text('/')], ['visit 1\n', 'visit 2\n'])
  t.regex(await browser.cookies(), /^counter=/)
  t.is(await browser.text('/logout'), 'bye\n')
  t.deepEqual([await browser.cookies(), await browser.text('/')], ['', 'visit 1\n'])
})

test('the program for those who come from webapp2 runs as it stands', async (t) => {
  const browser = await run(t, 'coming-from-webapp2-and-tipfy.md')
  const add = async (item: string): Promise<number> => (await browser.get('/', { method: 'POST', body: new URLSearchParams({ item }) })).status
  t.is(await browser.text('/'), 'items: \n')
  t.is(await add('pears'), 303)
  t.is(await browser.text('/'), 'success: It is in your cart.\nitems: pears\n')
  t.is(await add('plums'), 303)
  await browser.text('/')
  t.is(await browser.text('/'), 'items: pears, plums\n')
})

const testRedis = redisProgram === undefined ? test.skip : test
testRedis('the program for those who come from pycket runs as it stands', async (t) => {
  const { url } = await borrowRedis(t)
  const browser = await run(t, 'coming-from-pycket.md', { REDIS_URL: url.replace(/\/$/, '') })
  t.deepEqual([await browser.text('/'), await browser.text('/')], ['visit 1 Welcome!\n', 'visit 2 \n'])
})

test('the program for those who come from express-session runs as it stands', async (t) => {
  const browser = await run(t, 'coming-from-express-session.md')
  t.is(await browser.text('/'), 'view 1, stranger\n')
  const before = await browser.cookies()
  t.is((await browser.get('/login')).status, 303)
  t.not(await browser.cookies(), before)
  t.is(await browser.text('/'), 'view 2, Ada\n')
  t.is(await browser.text('/logout'), 'bye\n')
  t.is(await browser.text('/'), 'view 1, stranger\n')
})

/** The right cells of the tables: what is said to be here. */
const hereOn = (page: string): string => Array.from(read(page).matchAll(/^\| (?!there)[^|-][^|]* \| ([^|]+) \|$/gm), ([, here]) => here!.replace(/\]\([^)]+\)/g, ']')).join('\n')

const members = (text: string, pattern: RegExp): string[] => [...new Set(Array.from(text.matchAll(pattern), ([, name]) => name!))]

for (const page of pages) {
  test(`${page}: the names on the right are names of ours`, (t) => {
    const here = hereOn(page)
    t.true(here.length > 500)
    const settings = [targetFinder(inIni, optionTables), targetFinder(inTypeScript, optionTables)]
    const isSetting = (name: string): boolean => settings.some((find) => find(`session.${name}`) !== undefined || find(name) !== undefined)
    t.deepEqual(members(here, /\bmanager\.(\w+)/g).filter((name) => !(name in phial.SessionManager.prototype)), [])
    t.deepEqual(members(here, /\breq\.session\.(\w+)/g).filter((name) => !(name in phial.SessionObject.prototype)), [])
    t.deepEqual(members(here, /(?<!req\.)\bsession\.(\w+)/g).filter((name) => !(name in phial.Session.prototype || isSetting(name))), [])
    t.deepEqual(members(here, /\bsessions\(req\)\.(\w+)/g).filter((name) => !(name in phial.Sessions.prototype)), [])
    t.deepEqual(members(here, /`(\w+)(?:\(|`)/g).filter((name) => !isKnown(name, isSetting)), [])
  })
}

const isKnown = (name: string, isSetting: (name: string) => boolean): boolean =>
  name in phial || isSetting(name) || KINDS.includes(name)
  || [phial.Session, phial.SessionObject, phial.SessionManager, phial.Notifications].some(({ prototype }) => name in prototype)

/** Values and words of the platform. */
const KINDS = ['createServer', 'regenerate', 'phial', 'redis', 'datastore', 'memcache', 'devalue', 'json', 'Date', 'undefined', 'release', 'makeSession', 'manager', 'maxAge']
