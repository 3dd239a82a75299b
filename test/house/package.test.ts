import test from 'ava'
import { spawnSync } from 'node:child_process'
import type { SpawnSyncReturns } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SECRET } from '../support/harness.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** An application that has installed what `npm publish` would upload, and of the packages here only what that declares. */
const app = mkdtempSync(join(tmpdir(), 'phial-package-'))
const installed = join(app, 'node_modules', 'phial')

const run = (command: string, args: readonly string[], cwd = app): SpawnSyncReturns<string> =>
  spawnSync(command, args, { cwd, encoding: 'utf8', timeout: 50_000, killSignal: 'SIGKILL', shell: process.platform === 'win32' && command === 'npm' })

/** Runs a module in the application, and reads what it prints. */
const ask = (code: string, inputType = 'module'): any => {
  const { status, stdout, stderr } = run(process.execPath, [`--input-type=${inputType}`, '--eval', code])
  if (status !== 0 || stderr !== '') throw new Error(`ended with ${status}: ${stderr}`)
  return JSON.parse(stdout)
}

/** It is packed as it was built: a build would change what the other tests run on. */
test.before(() => {
  const packed = run('npm', ['pack', '--ignore-scripts', '--offline', '--loglevel=error', '--cache', join(app, 'cache'), '--pack-destination', app], root)
  if (packed.status !== 0) throw new Error(packed.stderr)
  const unpacked = run('tar', ['-xzf', readdirSync(app).find((name) => name.endsWith('.tgz'))!])
  if (unpacked.status !== 0) throw new Error(unpacked.stderr)
  mkdirSync(join(app, 'node_modules', '@types'), { recursive: true })
  symlinkSync(join(app, 'package'), installed, 'junction')
  // Resolved from where the package truly is, whose parents are this directory's too.
  for (const name of [...Object.keys(manifest().dependencies), '@types/node']) {
    symlinkSync(join(root, 'node_modules', name), join(app, 'node_modules', name), 'junction')
  }
  writeFileSync(join(app, 'package.json'), '{ "type": "module" }')
})

test.after.always(() => rmSync(app, { recursive: true, force: true }))

const manifest = (): Record<string, any> => JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
const targets = (): [key: string, target: string][] => Object.entries<string>(manifest()['exports']).filter(([, target]) => target.endsWith('.js'))
const specifiers = (): string[] => targets().map(([key]) => join('phial', key).replaceAll('\\', '/'))
const shipped = (): string[] => readdirSync(installed, { recursive: true, encoding: 'utf8' }).map((name) => name.replaceAll('\\', '/'))
const text = (file: string): string => readFileSync(join(installed, file), 'utf8')

const EVERY = 20

test('every export leads to a file with its types, and so does the command', (t) => {
  t.true(targets().length >= 5)
  for (const [key, target] of targets()) {
    t.true(existsSync(join(installed, target)), key)
    t.true(existsSync(join(installed, target.replace(/\.js$/, '.d.ts'))), key)
  }
  for (const [name, target] of Object.entries<string>(manifest()['bin'])) t.true(existsSync(join(installed, target)), name)
})

test('every export is there by import and, without a warning, by require: there is no top-level await', (t) => {
  const list = JSON.stringify(specifiers())
  const imported = ask(`const found = {}
    for (const name of ${list}) found[name] = Object.keys(await import(name)).sort()
    console.log(JSON.stringify(found))`)
  const required = ask(`const found = {}
    for (const name of ${list}) found[name] = Object.keys(require(name)).filter((key) => key !== '__esModule').sort()
    console.log(JSON.stringify(found))`, 'commonjs')
  t.true(imported.phial.length >= EVERY)
  t.deepEqual(required, imported)
})

for (const [name, compilerOptions] of Object.entries({
  nodenext: { module: 'nodenext' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' },
})) {
  test(`the types are found with module resolution ${name}, and compile without skipLibCheck`, (t) => {
    const files = name === 'nodenext' ? ['app.ts', 'common.cts'] : ['app.ts']
    for (const file of ['app.ts', 'common.cts']) writeFileSync(join(app, file), program)
    const config = join(app, `tsconfig.${name}.json`)
    const strict = { strict: true, exactOptionalPropertyTypes: true, noEmit: true, target: 'es2023', types: ['node'], skipLibCheck: false }
    writeFileSync(config, JSON.stringify({ compilerOptions: { ...strict, ...compilerOptions }, files }))
    const { status, stdout } = run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '--project', config])
    t.is(stdout, '')
    t.is(status, 0)
  })
}

const program = `import { createServer } from 'node:http'
import { createManager, loadIni, SessionGoneError, StoreError, withSession } from 'phial'
import type { Backend, PhialEvents, Session, SessionRequest, SettingsInput } from 'phial'
import { cachedManager } from 'phial/backends/cached'
import { cookieBackend } from 'phial/backends/cookie'
import { fileBackend } from 'phial/backends/file'
import { memoryBackend } from 'phial/backends/memory'
import { migrating } from 'phial/backends/migrating'
import { contractCases, FaultyStore, makeSession, memoryManager, testClock } from 'phial/testing'

const settings: SettingsInput = { type: 'memory', timeout: 600 }
const app = withSession<{ visits: number }>(async (req, res) => {
  const session: Session<{ visits: number }> = await req.session.load()
  const visits: number = session.get('visits', 0)
  // @ts-expect-error a key that the data does not have
  session.get('visit')
  res.end(String(visits))
}, loadIni('development.ini'), settings)
createServer(app)
// @ts-expect-error a manager is no text
export const wrong: string = createManager(settings)
export const backends: Backend<any>[] = [cookieBackend, fileBackend, memoryBackend, migrating({ from: 'old', to: { type: 'memory' }, createIn: 'from' })]
export const cached: SettingsInput = { type: cachedManager({ store: undefined as never, cache: undefined as never, ttlMs: 1 }) }
export const isPassing = (error: unknown): boolean => error instanceof StoreError && error.retryable
export const cases: readonly { readonly name: string }[] = contractCases(undefined as never)
export const made = async (): Promise<string> => {
  const clock = testClock()
  clock.advance(60)
  const faulty = new FaultyStore(memoryManager(clock.now))
  faulty.next('get', 'hung', new Error('down'))
  // @ts-expect-error data that the sessions do not have
  await makeSession(app.manager, { visit: 1 })
  return (await makeSession(app.manager, { visits: 1 }, { owner: 'ada' })).cookie + faulty.calls.join()
}
export type Kept = [PhialEvents['gone'], SessionRequest, SessionGoneError]
`

test('what ships is reached from an export or the command: no tests, and nothing that only the repository needs', (t) => {
  const reached = new Set<string>()
  const visit = (module: string): void => {
    if (reached.has(module)) return
    reached.add(module)
    for (const file of [`${module}.js`, `${module}.d.ts`].filter((file) => existsSync(file))) {
      for (const [, to] of readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)\.js'/g)) visit(resolve(dirname(file), to!))
    }
  }
  const entries = [...targets().map(([, target]) => target), ...Object.values<string>(manifest()['bin'])]
  for (const target of entries) visit(join(installed, target).replace(/\.js$/, ''))
  const modules = shipped().filter((name) => name.startsWith('dist/') && name.endsWith('.js')).map((name) => name.slice(0, -3))
  t.true(modules.length > 100)
  t.deepEqual(modules.filter((name) => !reached.has(join(installed, name))), [])
})

test('no source map ships without its source', (t) => {
  const orphans = shipped().filter((name) => name.endsWith('.map')).filter((name) => {
    const { sources, sourcesContent } = JSON.parse(text(name)) as { sources: string[]; sourcesContent?: string[] }
    return sourcesContent === undefined && sources.some((source) => !existsSync(resolve(installed, dirname(name), source)))
  })
  t.is(orphans.length, 0, orphans[0])
})

test('what was built has its source: an old build does not ship', (t) => {
  const modules = shipped().filter((name) => /^dist\/.*\.js$/.test(name))
  t.deepEqual(modules.filter((name) => !existsSync(join(root, name.replace(/^dist\//, '').replace(/\.js$/, '.ts')))), [], 'remove dist/ and build')
})

test('what ships beside the code: licence, changes, security, settings, the pages', (t) => {
  for (const name of ['LICENSE', 'README.md', 'CHANGELOG.md', 'SECURITY.md', 'development.ini']) t.true(shipped().includes(name), name)
  for (const name of readdirSync(join(root, 'docs'))) t.true(shipped().includes(`docs/${name}`), name)
  t.deepEqual(shipped().filter((name) => /^(data|coverage|node_modules|bench|examples\/demo|examples\/.*data\/|tools|\.)/.test(name)), [])
})

test('every relative link of a page that ships leads to something that ships', (t) => {
  const dead = shipped().filter((name) => name.endsWith('.md')).flatMap((page) =>
    Array.from(text(page).matchAll(/\]\(([^)#\s]+)[^)]*\)/g), ([, target]) => target!)
      .filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(installed, dirname(page), target)))
      .map((target) => `${page}: ${target}`))
  t.deepEqual(dead, [])
})

test('package.json: licence, engines, and no host', (t) => {
  const { name, license, engines, type, sideEffects, private: isPrivate, repository, bugs, homepage } = manifest()
  t.deepEqual([name, license, engines.node, type, sideEffects, isPrivate], ['phial', 'MIT', '>=20.19', 'module', false, undefined])
  t.deepEqual([repository, bugs, homepage], [undefined, undefined, undefined])
  t.deepEqual(Object.keys(manifest()['scripts']).filter((script) => /^(pre|post)?install$|^prepare$/.test(script)), [])
})

test('every package that the code names is a dependency, and every dependency is named', (t) => {
  const code = shipped().filter((name) => /^dist\/(?!test\/).*\.js$/.test(name)).map(text)
  const named = code.flatMap((js) => [...js.matchAll(/^(?:import|export) .*?from '([^.'][^']*)'|\brequire(?:Client)?\('([^.'][^']*)'|import\.meta\.url\)\('([^']+)'\)/gm)])
    .map(([, from, required, loaded]) => (from ?? required ?? loaded)!).filter((name) => !name.startsWith('node:') && name !== 'phial')
  t.deepEqual([...new Set(named)].sort(), [...Object.keys(manifest()['dependencies']), ...Object.keys(manifest()['peerDependencies'])].sort())
  t.deepEqual(Object.keys(manifest()['peerDependencies']).filter((name) => manifest()['peerDependenciesMeta'][name]?.optional !== true), [])
})

/** What of the process is another after `work` than before. */
const whatChanges = (work: string): any => ask(`import Module from 'node:module'
  const look = () => ({
    listeners: process.eventNames().map((name) => [String(name), process.listenerCount(name)]).sort(),
    patched: ['emit', 'reallyExit', 'exit', 'kill', 'on'].filter((name) => process[name] !== found[name]),
    timers: process.getActiveResourcesInfo().filter((name) => /Timeout|Immediate|FSEvent|Worker|Socket/.test(name)),
  })
  const found = { ...process, emit: process.emit, on: process.on }
  const before = look()
  ${work}
  const packages = Object.keys(Module._cache).map((path) => /.*node_modules.((?:@[^/\\\\]+.)?[^/\\\\]+)/.exec(path)?.[1]).filter(Boolean)
  console.log(JSON.stringify({ before, after: look(), packages: [...new Set(packages)].sort() }))`)

test('S214: importing phial adds no listener, patches nothing, starts no timer, and loads neither devalue nor proper-lockfile', (t) => {
  const { before, after, packages } = whatChanges('await import(\'phial\')')
  t.deepEqual(after, before)
  t.deepEqual(after.timers, [])
  t.deepEqual(packages, ['cookie', 'cookie-signature', 'ini'])
})

test('S214: the first write of files loads proper-lockfile, and its signal-exit is gone again', (t) => {
  const { before, after, packages } = whatChanges(`const { createManager } = await import('phial')
    const manager = createManager({ type: 'file', dataDir: ${JSON.stringify(join(app, 'data'))}, secret: '${SECRET}', operationTimeout: 60, requestBudget: 60 })
    const session = await manager.create()
    await session.save()
    await session.set('a', 1).save()
    await manager.close()`)
  t.true(packages.includes('signal-exit'))
  t.deepEqual(after, before)
})

test('without devalue, which is an optional peer, asking for it is a DependencyError', (t) => {
  t.deepEqual(ask(`import { createManager } from 'phial'
    try { createManager({ secret: '${SECRET}', dataSerializer: 'devalue' }) } catch ({ code, setting }) { console.log(JSON.stringify([code, setting])) }`),
  ['PHIAL_DEPENDENCY', 'dataSerializer'])
})

for (const [type, client] of Object.entries({ redis: 'ioredis', memcache: 'memjs', datastore: '@google-cloud/datastore' })) {
  const testOfClient = client in (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { peerDependencies: object }).peerDependencies ? test : test.skip
  testOfClient(`without ${client}, which is an optional peer, type ${type} fails at start with the command to install it, and where it was chosen`, (t) => {
    const file = join(app, `${type}.ini`)
    const faultWith = (...lines: string[]): { code: string; message: string; setting: string; line: number } => {
      writeFileSync(file, ['[app:main]', `session.secret = ${SECRET}`, ...lines, ''].join('\n'))
      return ask(`import { createManager, loadIni } from 'phial'
        try { createManager(loadIni(${JSON.stringify(file)})) } catch (error) { console.log(JSON.stringify({ message: error.message, ...error })) }`)
    }
    const check = (fault: ReturnType<typeof faultWith>, setting: string, line: number): void => {
      t.deepEqual([fault.code, fault.setting, fault.line], ['PHIAL_DEPENDENCY', setting, line])
      t.true(fault.message.startsWith(`${file}:${line}: ${setting}: ${type} needs a package that is not installed: npm install ${client}@`), fault.message)
    }
    check(faultWith(`session.type = ${type}`), 'session.type', 3)
    check(faultWith('session.type = file', 'session.data_dir = data', 'session.cache = front', `session.backends.front.type = ${type}`), 'session.backends.front.type', 6)
  })
}
