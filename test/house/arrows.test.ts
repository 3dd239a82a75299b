import test from 'ava'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../..', import.meta.url))

const sources = ['src', 'backends', 'config', 'bin', 'testing', 'test/contract'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => join(folder, name)))

const importsOf = (file: string): string[] =>
  [...readFileSync(join(root, file), 'utf8').matchAll(/^(?:import|export)\b[^'"]*?from '(\.[^']+)'|^import '(\.[^']+)'/gms)]
    .map(([, from, bare]) => relative(root, resolve(root, dirname(file), (from ?? bare)!)).replace(/\.js$/, '.ts'))

const graph = new Map(sources.map((file) => [file, importsOf(file)]))

/** Rooms from the bottom up: a file imports from its own room and from those below. */
const FLOORS: readonly (readonly [room: string, holds: (file: string) => boolean])[] = [
  ['words', (file) => /^src\/[^/]+\.ts$/.test(file) && !/^src\/(index|phial)\.ts$/.test(file)],
  ['record', (file) => file.startsWith('src/record/')],
  ['session', (file) => file.startsWith('src/session/')],
  ['http', (file) => file.startsWith('src/http/')],
]

const floorOf = (file: string): number => FLOORS.findIndex(([, holds]) => holds(file))

test('every import leads to a file that is there', (t) => {
  for (const [file, imports] of graph) for (const to of imports) t.true(graph.has(to), `${file} imports ${to}`)
})

test('within src nothing lower imports anything higher', (t) => {
  t.true(sources.length > 30)
  for (const [file, imports] of graph) {
    if (floorOf(file) < 0) continue
    for (const to of imports) {
      t.true(floorOf(to) >= 0 && floorOf(to) <= floorOf(file), `${file} imports ${to}`)
    }
  }
})

test('only the composition root imports the registry and config', (t) => {
  for (const [file, imports] of graph) {
    if (!file.startsWith('src/') || file === 'src/phial.ts') continue
    const outside = imports.filter((to) => !to.startsWith('src/'))
    t.deepEqual(outside, file === 'src/index.ts' ? outside.filter((to) => to.startsWith('config/')) : [], file)
  }
})

test('config knows no backend code, and neither knows sessions or HTTP', (t) => {
  for (const [file, imports] of graph) {
    if (!/^(config|backends)\//.test(file)) continue
    const own = file.startsWith('config/') ? /^config\// : /^backends\//
    for (const to of imports) t.true(own.test(to) || floorOf(to) === 0, `${file} imports ${to}`)
  }
})

test('the test kit stands on the library and on the contract suite, and nothing stands on it', (t) => {
  for (const [file, imports] of graph) {
    if (file.startsWith('test/')) for (const to of imports) t.regex(to, /^(test\/contract|src|backends)\//, `${file} imports ${to}`)
    else if (!file.startsWith('testing/')) for (const to of imports) t.notRegex(to, /^test(ing)?\//, `${file} imports ${to}`)
  }
})

test('no circles', (t) => {
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) return t.fail([...path.slice(path.indexOf(file)), file].join(' → '))
    if (done.has(file)) return
    for (const to of graph.get(file) ?? []) visit(to, [...path, file])
    done.add(file)
  }
  for (const file of sources) visit(file, [])
  t.is(done.size, sources.length)
})
