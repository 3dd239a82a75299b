import test from 'ava'
import { readdirSync, readFileSync } from 'node:fs'
import { testsNamedIn, titlesOf } from '../support/test-titles.js'
import type { NamedTest } from '../support/test-titles.js'

const root = new URL('../../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')

/** The ancestors, as the page's heads begin, and how many of their behaviours are kept. */
const KEPT = { Beaker: 27, 'webapp2_extras.sessions': 10, 'tipfy.ext.session': 13, pycket: 7 }

interface Row {
  readonly there: string
  readonly here: string
  readonly tests: readonly NamedTest[]
}

const rowsOf = (part: string): Row[] =>
  Array.from(part.matchAll(/^\| (?!there)([^|-][^|]*) \| ([^|]+) \| (.+) \|$/gm), ([, there, here, shown]) => ({ there: there!, here: here!, tests: testsNamedIn(shown!) }))

const parts = read('docs/parity.md').split(/^## /m).slice(1)
const rows = parts.flatMap(rowsOf)
const files = new Set(rows.flatMap(({ tests }) => tests.map(({ file }) => file)))
const titles = new Map([...files].map((file) => [file, titlesOf(read(file))]))

test('every behaviour of the ancestors stands on the page once, with its name here and the tests that show it', (t) => {
  t.deepEqual(parts.map((part) => [Object.keys(KEPT).find((name) => part.startsWith(name)), rowsOf(part).length]), Object.entries(KEPT))
  t.is(new Set(rows.map(({ there }) => there)).size, rows.length)
  for (const { there, tests } of rows) t.true(tests.length > 0, there)
})

test('every test that the page names is in its file, and is not one that is known to fail', (t) => {
  for (const { there, tests } of rows) {
    for (const { file, title } of tests) t.true(titles.get(file)!.some((known) => known.title === title && !known.isFailing), `${there}: ${file} has no “${title}”`)
  }
})

test('every test of an ancestor stands on the page', (t) => {
  for (const name of readdirSync(new URL('test/parity', root))) {
    const file = `test/parity/${name}`
    const named = rows.flatMap(({ tests }) => tests.filter((its) => its.file === file).map(({ title }) => title))
    const known = titlesOf(read(file)).map(({ title }) => title)
    t.deepEqual(known.filter((title) => !named.includes(title)), [], name)
    for (const title of known) t.regex(title, new RegExp(`^(…: )?${name.replace('.test.ts', '')}`, 'i'))
  }
})
