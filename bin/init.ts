import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { makeSecretFile } from './secret-file.js'

/**
 * Writes the beginning of an application into a folder. Answers what it wrote and what to do next, in words. Throws, and
 * writes nothing, when one of its files is there already; a `package.json` that is there is left alone.
 */
export const init = (folder: string): string => {
  const at = (name: string): string => join(folder, name)
  const files = new Map([['development.ini', shipped('development.ini')], [APP, program], [IGNORE, '*\n']])
  if (!existsSync(at('package.json'))) files.set('package.json', packageFile())

  const names = [...files.keys(), SECRET]
  const there = names.filter((name) => existsSync(at(name)))
  if (there.length > 0) throw new Error(`nothing was written: ${there.map(at).join(', ')} would have been overwritten`)

  mkdirSync(folder, { recursive: true })
  makeSecretFile(at(SECRET))
  for (const [name, text] of files) writeFileSync(at(name), text, { flag: 'wx' })
  return `Wrote\n${names.map((name) => `  ${at(name)}\n`).join('')}\nNow: ${nextSteps(folder).join(' && ')}\n`
}

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
createServer(app).listen(port, () => console.log(\`http://127.0.0.1:\${port}\`))
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
