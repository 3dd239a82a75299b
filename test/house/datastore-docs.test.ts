import test from 'ava'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { datastoreBackend } from '../../backends/datastore.js'
import { optionTables } from '../../backends/registry.js'
import { resolveSettings } from '../../config/resolve-settings.js'
import { loadIni } from '../../src/index.js'
import { temporaryDirectory } from '../support/every-backend.js'
import { SECRET } from '../support/harness.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const page = read('docs/datastore.md')
const faults = read('docs/faults-datastore.md')

test('S207: the figures on the page of datastore are those of the code', (t) => {
  const grouped = (figure: number): string => figure.toLocaleString('en')
  const constant = (file: string, name: string): number =>
    Number(new RegExp(`\\bconst ${name} = ([\\d_]+)$`, 'm').exec(read(`backends/datastore/${file}.ts`))?.[1]?.replaceAll('_', ''))
  for (const sentence of [
    `largest record is ${grouped(datastoreBackend.supports.maxValueBytes)} bytes`,
    `carries ${constant('service', 'MOST_AT_ONCE')} calls at a time`,
    `${grouped(constant('known', 'MOST'))} records are remembered`,
    'deletes at once, a hundred at a time',
    `a user who reads for an hour costs up to ${3600 / 60}`,
  ]) t.true(page.includes(sentence), sentence)
  t.is(constant('pages', 'PAGE'), 100)
  t.is(constant('purge', 'GRACE_MS'), 60_000)
  const { default: kind } = datastoreBackend.options!['kind']!
  for (const suffix of ['', 'Owner', 'Lease']) t.true(page.includes(`| \`${kind}${suffix}\` |`))
  const named = [...page.matchAll(/session\.datastore\.(\w+)/g)].map(([, option]) => option!)
  t.deepEqual(named.filter((option) => !(option in datastoreBackend.options!)), [])
})

test('each block of settings on the page of datastore is accepted', (t) => {
  const blocks = [...page.matchAll(/^```ini\n(.*?)^```$/gms)].map(([, lines]) => lines!)
  t.true(blocks.length >= 2)
  for (const lines of blocks) {
    const file = join(temporaryDirectory(t), 'page.ini')
    writeFileSync(file, `[app:main]\nsession.secret = ${SECRET}\n${lines}`)
    t.is(resolveSettings(loadIni(file), {}, optionTables).type, 'datastore')
  }
})

test('each fault in the table has a test of that name, and each test that is named by a fault stands in the table', (t) => {
  const files = ['test/faults', 'test/backends'].flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(folder, name)))
  const sources = files.filter((file) => /\/datastore.*\.test\.ts$/.test(file)).map(read).join('\n')
  const titles = [...sources.matchAll(/^(?:test|ava\.serial|testOfTls)\('((?:[^'\\]|\\.)+)'/gm)].map(([, title]) => title!.replaceAll('\\\'', '\''))
  t.true(titles.length > 60)
  const cells = faults.split('\n').filter((line) => /^\| (D\d+|–) \|/.test(line)).map((line) => line.split('|').at(-2)!)
  const named = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+?)…`/g)].map(([, start]) => start!.trim()))
  for (const start of named) t.true(titles.some((title) => title.startsWith(start)), start)
  const faultTitles = titles.filter((title) => /^D\d+: /.test(title))
  t.deepEqual(faultTitles.filter((title) => !named.some((start) => title.startsWith(start))), [])
})
