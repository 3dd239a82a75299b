import test from 'ava'
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { CookieJar } from 'tough-cookie'
import { clientOf } from '../support/app.js'
import type { Teardown } from '../support/app.js'
import { folder, freePort, root, start } from '../support/demo-program.js'

const command = join(root, 'dist/bin/phial.js')

interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const phial = (cwd: string, ...args: string[]): Promise<Outcome> =>
  new Promise((resolve) => execFile(process.execPath, [command, ...args], { cwd }, (error, stdout, stderr) =>
    resolve({ code: Number(error?.code ?? 0), stdout, stderr })))

const mode = (path: string): number => statSync(path).mode & 0o777

const NAMES = ['data/secret', 'development.ini', 'app.mjs', 'data/.gitignore', 'package.json']
const NEXT = 'Now: npm install phial && node app.mjs\n'
const lines = (head: string, names: readonly string[]): string => `${head}\n${names.map((name) => `  ${join(name)}\n`).join('')}\n`

test('init writes settings, a secret and a program, and says what and how to go on', async (t) => {
  const cwd = folder(t)
  const { code, stdout, stderr } = await phial(cwd, 'init')
  t.deepEqual([code, stderr], [0, ''])
  t.is(stdout, `${lines('Wrote', NAMES)}${NEXT}`)
  t.deepEqual(readdirSync(cwd).sort(), ['app.mjs', 'data', 'development.ini', 'package.json'])
  t.is(readFileSync(join(cwd, 'development.ini'), 'utf8'), readFileSync(join(root, 'development.ini'), 'utf8'))
  t.is(readFileSync(join(cwd, 'data/.gitignore'), 'utf8'), '*\n')
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  const written = { private: true, scripts: { start: 'node app.mjs' }, dependencies: { phial: `^${version}` } }
  t.deepEqual(JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8')), written)
})

test('init makes another secret each time, for its owner alone', async (t) => {
  const secrets = await Promise.all([folder(t), folder(t)].map(async (cwd) => {
    await phial(cwd, 'init')
    t.is(mode(join(cwd, 'data/secret')), 0o600)
    t.is(mode(join(cwd, 'data')), 0o700)
    return readFileSync(join(cwd, 'data/secret'), 'utf8')
  }))
  for (const secret of secrets) t.is(Buffer.from(secret.trim(), 'base64url').length, 32)
  t.not(secrets[0], secrets[1])
})

test('init makes the folder that it is told, as any other folder', async (t) => {
  const cwd = folder(t)
  const { code, stdout } = await phial(cwd, 'init', 'my shop/site')
  t.is(code, 0)
  t.regex(stdout, /Now: cd "my shop\/site" && npm install phial && node app\.mjs\n$/)
  const made = join(cwd, 'my shop/site')
  t.true(existsSync(join(made, 'app.mjs')))
  t.is(mode(made), 0o777 & ~process.umask())
})

for (const name of NAMES) {
  test(`init leaves a ${name} as it is, and writes what is missing`, async (t) => {
    const cwd = folder(t)
    mkdirSync(join(cwd, dirname(name)), { recursive: true })
    writeFileSync(join(cwd, name), 'mine')
    const { code, stdout, stderr } = await phial(cwd, 'init')
    t.deepEqual([code, stderr], [0, ''])
    t.is(stdout, `${lines('Wrote', NAMES.filter((other) => other !== name))}${lines('Left as it was', [name])}${NEXT}`)
    t.is(readFileSync(join(cwd, name), 'utf8'), 'mine')
    for (const other of NAMES) t.true(existsSync(join(cwd, other)), other)
  })
}

test('init a second time changes nothing', async (t) => {
  const cwd = folder(t)
  await phial(cwd, 'init')
  const contents = (): string[] => NAMES.map((name) => readFileSync(join(cwd, name), 'utf8'))
  const before = contents()
  t.deepEqual(await phial(cwd, 'init'), { code: 0, stdout: `${lines('Left as it was', NAMES)}${NEXT}`, stderr: '' })
  t.deepEqual(contents(), before)
})

test('init says what keeps it from writing', async (t) => {
  const cwd = folder(t)
  writeFileSync(join(cwd, 'file'), '')
  const { code, stdout, stderr } = await phial(cwd, 'init', 'file/below')
  t.deepEqual([code, stdout], [1, ''])
  t.regex(stderr, /^phial: ENOTDIR.*\n$/)
})

test('--help shows the usage; what makes no sense shows it as an error', async (t) => {
  const cwd = folder(t)
  for (const args of [['--help'], ['-h'], ['init', '--help']]) {
    const { code, stdout, stderr } = await phial(cwd, ...args)
    t.deepEqual([code, stderr], [0, ''])
    t.regex(stdout, /^Usage: phial init \[folder\]\n/)
  }
  for (const [args, reason] of [
    [[], 'a command is missing'], [['start'], 'there is no command \'start\''], [['init', 'a', 'b'], 'Unexpected argument \'b\''],
    [['init', '--force'], 'Unknown option \'--force\''], [['init', '--port', '1'], 'init takes no \'--port\''],
  ] as const) {
    const { code, stdout, stderr } = await phial(cwd, ...args)
    t.deepEqual([code, stdout], [2, ''], args.join(' '))
    t.true(stderr.endsWith(`\nphial: ${reason}\n`), stderr)
    t.regex(stderr, /^Usage: phial init \[folder\]\n/)
  }
  t.deepEqual(readdirSync(cwd), [])
})

interface Manifest {
  readonly bin: { readonly phial: string }
  readonly dependencies: Readonly<Record<string, string>>
}

/** The package as npm would publish it, unpacked into `node_modules`, with what it depends on beside it. Answers its manifest. */
const install = async (t: Teardown, cwd: string): Promise<Manifest> => {
  const execute = promisify(execFile)
  const packed = folder(t)
  await execute('npm', ['pack', '--ignore-scripts', '--pack-destination', packed], { cwd: root, shell: process.platform === 'win32' })
  const modules = join(cwd, 'node_modules')
  const installed = join(modules, 'phial')
  mkdirSync(installed, { recursive: true })
  await execute('tar', ['-xzf', join(packed, readdirSync(packed)[0]!), '--strip-components=1', '-C', installed])
  const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Manifest
  for (const name of Object.keys(manifest.dependencies)) symlinkSync(join(root, 'node_modules', name), join(modules, name), 'junction')
  return manifest
}

test('what init writes runs as it stands, with the package as it is published', async (t) => {
  const cwd = folder(t)
  const { bin } = await install(t, cwd)
  const init = start(t, join(cwd, 'node_modules/phial', bin.phial), { cwd, args: ['init'] })
  t.deepEqual(await init.ended, { code: 0, signal: null })
  t.regex(init.output, /Now: node app\.mjs\n$/)
  t.regex(readFileSync(join(cwd, 'node_modules/phial', bin.phial), 'utf8'), /^#!\/usr\/bin\/env node\n/)

  const jar = new CookieJar()
  const visitTwice = async (from: string): Promise<string> => {
    const program = start(t, join(cwd, 'app.mjs'), { cwd: from, env: { PORT: String(await freePort()) } })
    const [url] = await program.says(/^http:\/\/127\.0\.0\.1:\d+$/m)
    const browser = clientOf(url, jar)
    const texts = [await browser.text(), await browser.text()]
    await program.stop()
    return texts.join('')
  }
  t.is(await visitTwice(cwd), 'visit 1\nvisit 2\n')
  t.is(await visitTwice(root), 'visit 3\nvisit 4\n')
  t.deepEqual(readdirSync(cwd).sort(), ['app.mjs', 'data', 'development.ini', 'node_modules', 'package.json'])
})
