// Writes what the tables of settings say into `development.ini` and `docs/options.md`. When a table has changed:
//   npx tsc && node tools/describe.js
// With --check it writes nothing, and fails when a file says something else.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describeIni, describeTables } from '../dist/config/describe.js'

const root = new URL('../', import.meta.url)
const isCheck = process.argv.includes('--check')

/** The tables of all backends, by type: each file of `backends/` exports one object with a `type` and an `open`. */
const readTables = async () => {
  const directory = new URL('dist/backends/', root)
  const names = existsSync(directory) ? readdirSync(directory).filter(name => name.endsWith('.js')).sort() : []
  const modules = await Promise.all(names.map(name => import(new URL(name, directory).href)))
  const isBackend = value => typeof value?.type === 'string' && typeof value.open === 'function'
  const backends = modules.flatMap(Object.values).filter(isBackend)
  return Object.fromEntries(backends.map(({ type, options = {} }) => [type, options]))
}

const begin = '<!-- begin: written by tools/describe.js -->\n'
const end = '\n<!-- end -->'

const between = (text, part) => {
  if (!text.includes(begin) || !text.includes(end)) throw new Error('the marks between which the tables stand are lost')
  const [head, rest] = [text.slice(0, text.indexOf(begin) + begin.length), text.slice(text.indexOf(end))]
  return `${head}\n${part}\n${rest}`
}

const tables = await readTables()
const files = [
  ['development.ini', () => describeIni(tables)],
  ['docs/options.md', text => between(text, describeTables(tables))],
]

for (const [name, write] of files) {
  const file = new URL(name, root)
  const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const wanted = write(text)
  if (text === wanted) continue
  if (isCheck) {
    console.error(`${name} is not what the tables say: run node tools/describe.js`)
    process.exitCode = 1
  } else {
    writeFileSync(file, wanted)
    console.log(`wrote ${name}`)
  }
}
