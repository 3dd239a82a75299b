// Writes what the tables of settings say into `development.ini` and `docs/options.md`, and what the backends' manifests say
// into the README. When a table or a manifest has changed:
//   npx tsc && node tools/describe.js
// With --check it writes nothing, and fails when a file says something else.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describeIni, describeTables } from '../dist/config/describe.js'

const root = new URL('../', import.meta.url)
const isCheck = process.argv.includes('--check')

/** Each file of `backends/` exports one object with a `type` and an `open`. */
const readBackends = async () => {
  const directory = new URL('dist/backends/', root)
  const names = existsSync(directory) ? readdirSync(directory).filter(name => name.endsWith('.js')).sort() : []
  const modules = await Promise.all(names.map(name => import(new URL(name, directory).href)))
  const isBackend = value => typeof value?.type === 'string' && typeof value.open === 'function'
  return modules.flatMap(Object.values).filter(isBackend)
}

const scopes = { process: 'this process', machine: 'the processes of a machine', shared: 'all machines', request: 'the browser' }
const mark = claim => (claim ? 'yes' : 'no')

/** What others are behind is able to do what they are. */
const isWrapper = ({ options = {} }) => Object.values(options).some(({ type }) => type === 'backend')

/** The README's table, a column a backend. */
const describeBackends = backends => {
  const row = (name, cell) => `| ${[name, ...backends.map(({ supports }) => cell(supports))].join(' | ')} |`
  return [
    `| | ${backends.map(({ type }) => `\`${type}\``).join(' | ')} |`,
    `|${'---|'.repeat(backends.length + 1)}`,
    row('sessions are shared by', ({ scope }) => scopes[scope]),
    row('they outlive a restart', ({ durable }) => mark(durable)),
    row('parallel writes all count', ({ atomic }) => mark(atomic)),
    row('gone is gone', ({ revocable }) => mark(revocable)),
    row('largest record', ({ maxValueBytes }) => `${maxValueBytes.toLocaleString('en')} bytes`),
    row('an owner\'s sessions can be listed', ({ ownerIndex }) => mark(ownerIndex)),
    row('locks', ({ lockable }) => mark(lockable)),
  ].join('\n')
}

const begin = '<!-- begin: written by tools/describe.js -->\n'
const end = '\n<!-- end -->'

const between = (text, part) => {
  if (!text.includes(begin) || !text.includes(end)) throw new Error('the marks between which the tables stand are lost')
  const [head, rest] = [text.slice(0, text.indexOf(begin) + begin.length), text.slice(text.indexOf(end))]
  return `${head}\n${part}\n${rest}`
}

const backends = await readBackends()
const tables = Object.fromEntries(backends.map(({ type, options = {} }) => [type, options]))
const files = [
  ['development.ini', () => describeIni(tables)],
  ['docs/options.md', text => between(text, describeTables(tables))],
  ['README.md', text => between(text, describeBackends(backends.filter((backend) => !isWrapper(backend))))],
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
