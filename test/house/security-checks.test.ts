import test from 'ava'
import { readFileSync } from 'node:fs'
import { testsNamedIn, titlesOf } from '../support/test-titles.js'
import type { NamedTest } from '../support/test-titles.js'

const root = new URL('../../../', import.meta.url)

const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')

/** The numbers of the requirements, section by section. */
const SECTIONS = [
  [1, 15], [20, 38], [40, 52], [60, 79], [80, 91], [100, 115], [120, 124], [130, 138], [140, 152], [160, 165], [170, 180],
  [190, 199], [200, 208], [210, 214],
] as const

const NUMBERS = SECTIONS.flatMap(([first, last]) =>
  Array.from({ length: last - first + 1 }, (_, n) => `S${String(first + n).padStart(3, '0')}`))

interface Row {
  readonly number: string
  /** What is said beside the tests. */
  readonly words: string
  readonly tests: readonly NamedTest[]
}

const rowsOf = (page: string): Row[] =>
  Array.from(page.matchAll(/^\| (S\d{3}) \| [^|]+ \| (.+) \|$/gm), ([, number, shown]) =>
    ({ number: number!, tests: testsNamedIn(shown!), words: shown!.split('<br>').filter((part) => !part.startsWith('`test/')).join(' ') }))

/** `S022, S026: …`, `S082–S087: …`, also after the name of a mode. */
const numbersOf = (title: string): string[] => {
  const head = /^(?:…: )?((?:[A-Z]\d+(?:, |–)?)+): /.exec(title)?.[1] ?? ''
  return [...head.matchAll(/(S\d{3})(?:–(S\d{3}))?/g)].flatMap(([, first, last]) =>
    NUMBERS.slice(NUMBERS.indexOf(first!), NUMBERS.indexOf(last ?? first!) + 1))
}

const rows = rowsOf(read('docs/security-checks.md'))
const files = new Set(rows.flatMap(({ tests }) => tests.map(({ file }) => file)))

const titles = new Map([...files].map((file) => [file, titlesOf(read(file))]))

test('titles are read from the sources of tests', (t) => {
  const source = [
    "test('S001: it\\'s', t)", "  test.serial.failing(\n  `a: S002–S004: ${b.map((c) => `${c}`).join('}')} of ${d}`,", "t.is('no', 1)", 'testAsRoot("x", t)',
  ].join('\n')
  t.deepEqual(titlesOf(source), [
    { title: "S001: it's", isFailing: false }, { title: 'a: S002–S004: … of …', isFailing: true },
    { title: 'x', isFailing: false },
  ])
  t.deepEqual(
    ['S001, C01, S003: x', '…: S013–S020: x', 'S001 x', 'x S001: x'].map(numbersOf),
    [['S001', 'S003'], ['S013', 'S014', 'S015', 'S020'], [], []]
  )
})

test('every requirement stands on the page once, with the tests that show it or the reason why none does', (t) => {
  t.is(NUMBERS.length, 163)
  t.deepEqual(rows.map(({ number }) => number), NUMBERS)
  for (const { number, tests, words } of rows) t.true(tests.length > 0 || words.length >= 15, number)
})

test('every test that the page names is in its file, and is about the requirement if it has a number', (t) => {
  for (const { number, tests } of rows) {
    for (const { file, title } of tests) {
      t.true(titles.get(file)!.some((known) => known.title === title), `${number}: ${file} has no “${title}”`)
      const numbers = numbersOf(title).filter((known) => NUMBERS.includes(known))
      t.true(numbers.length === 0 || numbers.includes(number), `${number}: “${title}”`)
    }
  }
})

test('a fault that a failing test shows is called open, and nothing else is', (t) => {
  const failing = [...titles.values()].flat().filter(({ isFailing }) => isFailing).flatMap(({ title }) => numbersOf(title))
  const open = rows.filter(({ words }) => /\bOpen: /.test(words)).map(({ number }) => number)
  t.deepEqual(open, NUMBERS.filter((number) => failing.includes(number)))
})
