import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { makeSecretFile } from './secret-file.js'
import { writeNew } from './write-new.js'

/**
 * Writes what of the beginning of an application is not in a folder yet; what is there stays as it is. Answers what it wrote, what it left, and
 * what to do next, in words.
 */
export const init = (folder: string): string => {
  mkdirSync(folder, { recursive: true })
  const isNew = new Map([[SECRET, makeSecretFile(join(folder, SECRET))]])
  for (const [name, text] of texts()) isNew.set(name, writeNew(join(folder, name), text))
  const list = (head: string, wanted: boolean): string => {
    const paths = [...isNew.keys()].filter((name) => isNew.get(name) === wanted).map((name) => `  ${join(folder, name)}\n`)
    return paths.length === 0 ? '' : `${head}\n${paths.join('')}\n`
  }
  return `${list('Wrote', true)}${list('Left as it was', false)}Now: ${nextSteps(folder).join(' && ')}\n`
}

const texts = (): [name: string, text: string][] =>
  [['development.ini', shipped('development.ini')], [APP, program], [IGNORE, '*\n'], ['package.json', packageFile()]]

/** With this ending it is a module whatever a `package.json` says of `.js` files. */
const APP = 'app.mjs'
const SECRET = join('data', 'secret')
/** Keeps secret and sessions out of a git repository. */
const IGNORE = join('data', '.gitignore')

/** The smallest program that works, in the way of the README's first example. */
const program = `import { createServer } from 'node:http'
import { loadIni, withSession } from 'phial'

const settings = loadIni(new URL('development.ini', import.meta.url))

const app = withSession(async (req, res) => {
  const session = await req.session.load() // first access: now, and only now, the store is read
  session.set('visits', session.get('visits', 0) + 1)
  await session.save() // nothing is kept without it
  res.end(\`visit \${session.get('visits')}\\n\`)
}, settings)

const port = process.env.PORT ?? 5000
createServer(app).listen(port, '127.0.0.1', () => console.log(\`http://127.0.0.1:\${port}\`))
`

const packageFile = (): string => {
  const { version } = JSON.parse(shipped('package.json')) as { version: string }
  const contents = { private: true, scripts: { start: `node ${APP}` }, dependencies: { phial: `^${version}` } }
  return `${JSON.stringify(contents, null, 2)}\n`
}

/** From `dist/bin` to what comes with the package. */
const shipped = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')

const nextSteps = (folder: string): string[] => [
  ...(resolve(folder) === process.cwd() ? [] : [`cd ${folder.includes(' ') ? `"${folder}"` : folder}`]),
  ...(isInstalledFor(join(folder, APP)) ? [] : ['npm install phial']),
  `node ${APP}`,
]

const isInstalledFor = (program: string): boolean => {
  try {
    createRequire(resolve(program)).resolve('phial')
    return true
  } catch {
    return false
  }
}
