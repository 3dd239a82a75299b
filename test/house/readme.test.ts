import test from 'ava'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as phial from '../../src/index.js'
import * as testing from '../../testing/index.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const readme = read('README.md')

const pagesIn = (folder: string): string[] => readdirSync(join(root, folder)).filter((name) => name.endsWith('.md')).map((name) => join(folder, name))
const pages = [...pagesIn('.'), ...pagesIn('docs')]

/** Where the page's links lead within the repository. */
const linksOf = (page: string): string[] =>
  [...read(page).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)]
    .map(([, target]) => target!)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => relative(root, join(root, dirname(page), target)))

const snippets = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code!)

for (const page of pages) {
  test(`every relative link of ${page} leads to something that is there`, (t) => {
    t.deepEqual(linksOf(page).filter((target) => !existsSync(join(root, target))), [])
  })
}

test('every page of docs/ is linked from the README, or from a page that is', (t) => {
  const reached = new Set(['README.md'])
  for (const page of reached) for (const target of linksOf(page)) if (pages.includes(target)) reached.add(target)
  t.true(reached.size > 3)
  t.deepEqual(pagesIn('docs').filter((page) => !reached.has(page)), [])
})

test('CONTRIBUTING names the programs that the tests use, and the variables that name one which is elsewhere', (t) => {
  const sources = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts')).map((file) => read(join('test', file))).join('\n')
  const contributing = read('CONTRIBUTING.md')
  const programs = new Set([...sources.matchAll(/\bfindProgram\('([a-z]+)/g)].map(([, name]) => name!))
  programs.delete('setpriv') // nothing is skipped without it
  t.true(programs.size > 4)
  t.deepEqual([...programs].filter((name) => !contributing.toLowerCase().includes(name)), [])
  const variables = [...contributing.matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name!)
  t.is(variables.length, 3)
  t.deepEqual(variables.filter((name) => !sources.includes(name)), [])
})

test('the first program is examples/first.ts, from its first import on', (t) => {
  t.true(readme.includes('<!-- example: examples/first.ts -->\n```ts\n'))
  const example = read('examples/first.ts')
  t.is(snippets[0], example.slice(example.search(/^import /m)))
})

test('what the snippets import is exported', (t) => {
  const entries: Readonly<Record<string, object>> = { phial, 'phial/testing': testing }
  const imports = snippets.flatMap((code) => [...code.matchAll(/^import \{ (.+) \} from '(phial[^']*)'$/gm)])
  t.true(imports.length > 1)
  for (const [line, names, from] of imports) for (const name of names!.split(', ')) t.true(name in entries[from!]!, line)
})

test('what the snippets and the prose use of sessions and their manager is there', (t) => {
  const code = snippets.join('\n')
  const owners = [
    [code, /(?<!req\.)\bsession\.(\w+)/g, phial.Session.prototype, 8],
    [code, /\breq\.session\.(\w+)/g, phial.SessionObject.prototype, 1],
    [readme, /\bmanager\.(\w+)/g, phial.SessionManager.prototype, 2],
    [readme, /`(\w+)\(\)`/g, phial.Session.prototype, 2],
  ] as const
  for (const [text, pattern, prototype, least] of owners) {
    const used = new Set([...text.matchAll(pattern)].map(([, name]) => name!))
    t.true(used.size >= least, String(pattern))
    for (const name of used) t.true(name in prototype, name)
  }
})
