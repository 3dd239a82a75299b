import test from 'ava'
import type { ExecutionContext } from 'ava'
import { spawnSync } from 'node:child_process'
import type { SpawnSyncReturns } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cookieBackend } from '../../backends/cookie.js'
import { capacity } from '../../backends/cookie/capacity.js'
import { MOST_CHUNKS } from '../../backends/cookie/chunks.js'
import { fileBackend } from '../../backends/file.js'
import { memoryBackend } from '../../backends/memory.js'
import { optionTables } from '../../backends/registry.js'
import { inIni } from '../../config/notation.js'
import { resolveSettings } from '../../config/resolve-settings.js'
import { table } from '../../config/table.js'
import { targetFinder } from '../../config/targets.js'
import { failureAnswer } from '../../src/http/failure-answer.js'
import { makeSealer } from '../../src/record/seal.js'
import * as phial from '../../src/index.js'
import type { SessionManager, Settings, SettingsInput } from '../../src/index.js'
import { serve } from '../support/app.js'
import type { Client } from '../support/app.js'
import { SECRET } from '../support/harness.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const [errors, cookies, operations] = [read('docs/errors.md'), read('docs/cookies.md'), read('docs/operations.md')]
const documents = ['README.md', 'SECURITY.md', ...readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)].map(read)

const sources = ['src', 'backends', 'config'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts')).map((name) => read(join(folder, name))))

/** The rows of the table whose head begins with these cells. */
const tableUnder = (page: string, ...head: string[]): string[][] => {
  const lines = page.slice(page.indexOf(`| ${head.join(' | ')} `.replaceAll('  ', ' '))).split('\n')
  const rows = lines.slice(2, lines.findIndex((line) => !line.startsWith('|')))
  return rows.map((row) => row.split('|').slice(1, -1).map((cell) => cell.trim()))
}

const quoted = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, word]) => word!)
const blocks = (page: string, language: string): string[] => [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))].map(([, code]) => code!)
const all = (pattern: RegExp, texts: readonly string[]): string[] => [...new Set(texts.flatMap((text) => [...text.matchAll(pattern)].map(([, found]) => found!)))].sort()

const temporary = (t: ExecutionContext): string => {
  const directory = mkdtempSync(join(tmpdir(), 'phial-docs-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

// Errors and events

type AnyError = new (message: string, details: unknown, limit: number) => phial.SessionError
const classes = Object.values(phial).filter((value) => typeof value === 'function' && value.prototype instanceof phial.SessionError) as unknown as AnyError[]
const example = (Class: AnyError): phial.SessionError => new Class('x', { backend: 'memory', operation: 'get' }, 1)

test('the table of errors holds each one that is exported, with its code, its answer and whether to try again', (t) => {
  const rows = tableUnder(errors, 'class', 'code', 'when', 'answer', 'again')
  const said = rows.map(([name, code, , answer]) => [quoted(name!)[0], quoted(code!)[0], Number(answer)])
  t.deepEqual(said.toSorted(), classes.map((Class) => [Class.name, example(Class).code, failureAnswer(example(Class)).status]).toSorted())
  for (const Class of classes) {
    const error = example(Class)
    const again = rows.find(([name]) => name === `\`${Class.name}\``)?.[4]
    if (error instanceof phial.StoreError) t.is(again, error.retryable ? 'yes' : 'no', Class.name)
    else t.is(again === 'yes', failureAnswer(error).status === 503, Class.name)
  }
})

test('the answer to a failure is what the page says', (t) => {
  const { headers, body } = failureAnswer(new phial.SessionClosedError('x'))
  const [, headerCell, bodyCell] = tableUnder(errors.slice(errors.indexOf('## The answer')), '', '').map(([, cell]) => cell!)
  const said = quoted(headerCell!).filter((header) => header !== 'Content-Length')
  t.deepEqual(said, Object.entries(headers).filter(([name]) => name !== 'Content-Length').map(([name, value]) => `${name}: ${value}`))
  t.is(`${quoted(bodyCell!)[0]}\n`, body)
})

test('the table of events holds each channel, with its fields and their values', (t) => {
  const words = read('src/diagnostics.ts')
  const declared = words.slice(words.indexOf('export interface PhialEvents'), words.indexOf('export type PhialEvent ='))
  const events = [...declared.matchAll(/^  '?([a-z-]+)'?: \{ (.+) \}$/gm)]
    .map(([, name, fields]) => [`phial:${name}`, [...fields!.matchAll(/(\w+):|'([^']+)'/g)].map(([, field, value]) => field ?? value!)])
  t.true(events.length > 15)
  t.deepEqual(tableUnder(errors, 'channel', 'fields').map(([channel, fields]) => [quoted(channel!)[0], quoted(fields!)]), events)
})

test('the table of warnings holds each one that is given', (t) => {
  t.deepEqual(tableUnder(errors, 'code', 'when', 'what').map(([code]) => quoted(code!)[0]!).sort(), all(/\bwarnOnce\('(PHIAL_\w+)'/g, sources))
})

test('no page names a code, an event, a setting or a member that there is not', (t) => {
  const codes = [...classes.map((Class) => example(Class).code), ...all(/\bwarnOnce\('(PHIAL_\w+)'/g, sources)]
  const variables = ['PHIAL_SECRET', 'PHIAL_ENCRYPT_KEY']
  t.deepEqual(all(/\b(PHIAL_[A-Z_]+)/g, documents).filter((code) => ![...codes, ...variables].includes(code)), [])
  const events = tableUnder(errors, 'channel', 'fields').map(([channel]) => quoted(channel!)[0]!)
  t.deepEqual(all(/\b(phial:[a-z-]+)/g, documents).filter((event) => !events.includes(event)), [])
  const mine = [errors, cookies, operations]
  const find = targetFinder(inIni, optionTables)
  const isKnown = (name: string): boolean => find(`session.${name}`) !== undefined || name.split('.')[0]! in phial.Session.prototype
  t.deepEqual(all(/\bsession\.([a-z_A-Z.]*[a-zA-Z])/g, mine).filter((name) => !isKnown(name)), [])
  t.deepEqual(all(/\bmanager\.(\w+)/g, mine).filter((name) => !(name in phial.SessionManager.prototype)), [])
})

const runModule = (t: ExecutionContext, code: string): SpawnSyncReturns<string> => {
  const file = join(temporary(t), 'example.mjs')
  writeFileSync(file, code)
  return spawnSync(process.execPath, [file], { encoding: 'utf8', timeout: 60_000 })
}

const failsOnce = `import { channel } from 'node:diagnostics_channel'
  const error = Object.assign(new Error('secret'), { code: 'PHIAL_STORE' })
  channel('phial:store-error').publish({ backend: 'file', operation: 'get', error })
  channel('phial:rejected-id').publish({ reason: 'malformed' })
  console.log('the request goes on')`

test('the subscriber that logs runs as it stands', (t) => {
  const { status, stderr } = runModule(t, `${blocks(errors, 'js')[0]}\n${failsOnce}`)
  t.is(stderr, 'phial:store-error {"backend":"file","operation":"get"} PHIAL_STORE\nphial:rejected-id {"reason":"malformed"} \n')
  t.is(status, 0)
})

test('a subscriber that throws does not fail the request: it is an uncaughtException', (t) => {
  const { stdout } = runModule(t, `import { subscribe } from 'node:diagnostics_channel'
    process.on('uncaughtException', (error) => console.log('uncaught', error.message))
    subscribe('phial:store-error', () => { throw new Error('mine') })
    ${failsOnce}`)
  t.is(stdout, 'the request goes on\nuncaught mine\n')
})

/** The tests are about what is written, not about when: on a busy machine a disk may take its time. */
const patient = { operationTimeout: 60, requestBudget: 60 }

// Cookies

test('what is sent by default is what the page shows', async (t) => {
  const { url } = await serve(t, async (req, res) => {
    await req.session.save()
    res.end()
  }, { ...patient, secure: true })
  const { headers } = await fetch(url)
  const sent = headers.getSetCookie().map((line) => `Set-Cookie: ${line.replace(/=[^;]{43}\.[^;]{43};/, '=ID.SIGNATURE;')}`)
  const lines = [...sent, `Cache-Control: ${headers.get('cache-control')}`, `Vary: ${headers.get('vary')}`]
  t.is(blocks(cookies, '')[0], `${lines.join('\n')}\n`)
})

test('each cookie_expires renews the cookie as the table says', async (t) => {
  const rows = tableUnder(cookies, '`cookie_expires`', 'the cookie ends').map(([life, , also]) => [life, also])
  const lives = { '`true`': true, '`false`': false, 'a date': new Date(Date.now() + 1e6), seconds: 86_400 }
  t.deepEqual(rows.map(([life]) => life), Object.keys(lives))
  for (const [life = '', also] of rows) {
    let now = Date.now()
    const { client } = await serve(t, async (req, res) => {
      const session = await req.session.load()
      if (req.url === '/save') await session.set('at', performance.now()).save()
      if (req.url === '/update') await session.update('n', (n = 0) => n + 1)
      if (req.url === '/renew') await session.regenerateId()
      res.end()
    }, { ...patient, cookieExpires: lives[life as keyof typeof lives], now: () => now })
    const browser = client()
    const isSent = async (path: string): Promise<boolean> => (await browser.get(path)).headers.getSetCookie().length > 0
    const isRenewed = also !== '–'
    t.true(await isSent('/save'), life)
    t.is(await isSent('/save'), isRenewed, life)
    t.is(await isSent('/update'), isRenewed, life)
    t.false(await isSent('/read'), life)
    now += 61_000
    t.is(await isSent('/read'), isRenewed, life)
    t.false(await isSent('/read'), life)
    t.true(await isSent('/renew'), life)
  }
})

test('force sends what the pages say: on type cookie a request that saved nothing sends NAME-seen alone, and undoes nothing', async (t) => {
  const [row] = tableUnder(read('docs/options.md'), 'in an INI file').filter(([ini]) => ini === '`session.force`')
  for (const said of [row!.at(-1)!, cookies]) t.regex(said, /`?NAME-seen`? alone/)
  for (const [type, forced] of [['memory', 'phial'], ['cookie', 'phial-seen']]) {
    let [hold, release] = [Promise.resolve(), () => {}]
    const { client } = await serve(t, async (req, res) => {
      const session = await req.session.load()
      if (req.url === '/late') await hold
      if (req.url === '/save') await session.set('n', session.get('n', 0) + 1).save()
      res.end(String(session.get('n')))
    }, { ...patient, type: type!, forceCookie: true })
    const browser = client()
    const sent = async (path: string): Promise<string[]> => (await browser.get(path)).headers.getSetCookie().map((line) => line.split('=')[0]!)
    t.deepEqual(await sent('/save'), ['phial'], type)
    t.deepEqual(await sent('/read'), [forced], type)
    hold = new Promise((resolve) => (release = resolve))
    const late = sent('/late')
    await sent('/save')
    release()
    t.deepEqual(await late, [forced], type)
    t.is(await browser.text('/read'), '2', type)
  }
})

// Figures

const grouped = (figure: number): string => figure.toLocaleString('en')
const constantIn = (file: string, name: string): number =>
  Number(new RegExp(`\\bconst ${name} = ([\\d_]+)$`, 'm').exec(read(file))?.[1]?.replaceAll('_', ''))

test('S207: the limits are those of the manifests and the tables', (t) => {
  const [head, ...rows] = [['memory', 'file', 'cookie'], ...tableUnder(operations, '', '`memory`', '`file`', '`cookie`')]
  t.deepEqual(head, [memoryBackend, fileBackend, cookieBackend].map(({ type }) => type))
  const row = (name: string): string[] => rows.find(([cell]) => cell!.startsWith(name)) ?? []
  const largest = [memoryBackend, fileBackend, cookieBackend].map(({ supports }) => grouped(supports.maxValueBytes))
  t.deepEqual(row('largest record').map((cell) => /[\d,]{4,}/.exec(cell)?.[0]), [grouped(table.maxBytes.default), ...largest])
  t.is(row('most sessions')[1], grouped(memoryBackend.options!['max_sessions']!.default as number))
  t.deepEqual(row('purges every').slice(1, 3), [memoryBackend, fileBackend].map(({ options }) => `${grouped(options!['purge_interval']!.default as number)} s`))
  const inAll = Object.fromEntries(tableUnder(operations, 'in all of them', '').map(([name, figure]) => [name!.split(' (')[0]!.split('`)')[0], figure]))
  t.is(inAll['one operation'], `${table.operationTimeout.default} s`)
  t.is(inAll['a request\'s waiting for its session'], `${table.requestBudget.default} s`)
  t.is(inAll['idle time'], `${grouped(table.timeout.default as number)} s, ${grouped(table.lifetime.default as number)} s`)
  t.is(inAll['secrets, encryption keys'], `${constantIn('config/secrets.ts', 'most')} of each`)
  t.is(inAll['`manager.close()` waits for pending writes, and then for the store to let go'], `${constantIn('src/session/session-manager.ts', 'CLOSE_MS') / 1000} s each`)
  t.is(inAll['`manager.list()`, `manager.revoke()`'], `${constantIn('src/session/owned-sessions.ts', 'MOST_MS') / 1000} s`)
  t.true(inAll['clocks may differ by']?.startsWith(`${constantIn('src/record/time-rules.ts', 'CLOCK_SKEW_MS') / 1000} s;`))
})

test('S207: the figures in the prose are those of the code', (t) => {
  const memory = memoryBackend.options!
  const figures: [page: string, text: string][] = [
    [operations, `(${grouped(memory['max_sessions']!.default as number)})`],
    [operations, `(${grouped(memory['max_total_bytes']!.default as number)} bytes`],
    [operations, `after ${constantIn('backends/file/lock-directory.ts', 'stalledMs') / 1000} s`],
    [operations, `${constantIn('backends/file/turns.ts', 'patienceMs') / 1000} s at most, though`],
    [cookies, `${grouped(constantIn('src/cookie-room.ts', 'MOST_COOKIE_OCTETS'))} octets; more is a \`TooLargeError\``],
    [cookies, `400 days (${grouped(constantIn('src/http/set-cookie.ts', 'maxAgeSeconds'))} seconds)`],
    [cookies, `| cookies of one name that are looked at | ${constantIn('src/record/id.ts', 'MOST_CANDIDATES')} |`],
    [cookies, `more than ${constantIn('backends/cookie/cookie-wire.ts', 'MOST_CANDIDATES')} values`],
    [cookies, `(1 to ${MOST_CHUNKS})`],
    [cookies, `Over ${grouped(constantIn('backends/cookie/cookie-wire.ts', 'HEAVY_OCTETS'))} octets`],
    [errors, `more than ${grouped(constantIn('backends/cookie/cookie-wire.ts', 'HEAVY_OCTETS'))} octets`],
    [errors, `than ${grouped(constantIn('src/cookie-room.ts', 'MOST_COOKIE_OCTETS'))} octets`],
  ]
  for (const [page, text] of figures) t.true(page.includes(text), text)
  const name = '__Host-phial'
  const rooms = [[], [SECRET]].map((encryptKeys) => capacity(makeSealer({ secrets: [SECRET], encryptKeys, name }), 4096 - name.length))
  t.true(cookies.includes(`| record in one cookie named \`${name}\` | ${rooms.map((bytes) => `${grouped(bytes)} bytes`).join(' | ')} |`), rooms.join())
})

test('the life of a message, the one duration that is not in seconds, is said to be in milliseconds wherever it is explained', (t) => {
  for (const page of ['docs/around-the-session.md', 'docs/coming-from-webapp2-and-tipfy.md']) t.regex(read(page), /`life`[^.]+\bmilliseconds\b/, page)
  const comments = read('src/session/messages.ts').match(/\/\*\*(?:(?!\*\/)[^])*\*\/(?=\s+readonly life\b)/g)!
  t.deepEqual(comments.map((comment) => /\bmilliseconds, (?:not|unlike) .*\bseconds\b/.test(comment)), [true, true])
})

// Steps

const steps = new Map([...operations.matchAll(/<!-- step: ([a-z ]+) -->\n```sh\n(.*?)^```$/gms)].map(([, name, code]) => [name!, code!]))

const testInShell = process.platform === 'win32' ? test.skip : test

/** A machine with its secret, on which processes are started, and the steps of the page are done. */
class Machine {
  readonly #t: ExecutionContext
  readonly directory: string

  constructor(t: ExecutionContext) {
    this.#t = t
    this.directory = temporary(t)
    this.do('make a secret')
  }

  do(step: string): void {
    const { status, stderr } = spawnSync('sh', ['-e', '-c', steps.get(step) ?? 'exit 99'], { cwd: this.directory, encoding: 'utf8' })
    this.#t.deepEqual([status, stderr], [0, ''], step)
    this.#t.is(statSync(join(this.directory, 'data', 'secret')).mode & 0o077, 0)
  }

  /** A process that counts visits; it knows the secrets that are in the file now. */
  async start(settings: SettingsInput = {}): Promise<Process> {
    const data = join(this.directory, 'data')
    const manager = phial.createManager({ type: 'file', dataDir: data, secretFile: join(data, 'secret'), secure: false, ...patient, ...settings })
    this.#t.teardown(() => manager.close())
    const app = await serve(this.#t, async (req, res) => {
      const session = await req.session.load()
      await session.set('visits', session.get('visits', 0) + 1).save()
      res.end(String(session.get('visits')))
    }, manager)
    return { manager, visit: async (browser) => Number(await app.client(browser?.jar).text()), client: () => app.client() }
  }
}

interface Process {
  readonly manager: SessionManager
  /** How often the browser has been here, in this session. */
  visit(browser: Client): Promise<number>
  client(): Client
}

testInShell('S208: the steps of a rotation log nobody out, while processes are restarted one after the other', async (t) => {
  const machine = new Machine(t)
  const before = await machine.start()
  const [ann, bob, idle] = [before.client(), before.client(), before.client()]
  for (const browser of [ann, idle]) t.is(await before.visit(browser), 1)

  machine.do('add a secret')
  const added = await machine.start()
  t.is(await added.visit(bob), 1)
  t.is(await before.visit(bob), 2)
  t.is(await added.visit(ann), 2)

  machine.do('sign with it')
  const signing = await machine.start()
  for (const browser of [ann, bob]) t.is(await signing.visit(browser), 3)
  for (const browser of [ann, bob]) t.is(await added.visit(browser), 4) // which signs with its own first again
  for (const browser of [ann, bob]) t.is(await signing.visit(browser), 5)

  machine.do('forget the old ones')
  const after = await machine.start()
  for (const browser of [ann, bob]) t.is(await after.visit(browser), 6)
  t.is(await after.visit(idle), 1)
  t.is(readFileSync(join(machine.directory, 'data', 'secret'), 'utf8').trim().split('\n').length, 1)
  t.deepEqual(readdirSync(join(machine.directory, 'data')).sort(), ['phial', 'secret'])
})

testInShell('S208: replacing the secret logs everyone out', async (t) => {
  const machine = new Machine(t)
  const before = await machine.start()
  const ann = before.client()
  t.deepEqual([await before.visit(ann), await before.visit(ann)], [1, 2])
  machine.do('replace the secret')
  t.is(await (await machine.start()).visit(ann), 1)
})

testInShell('S208: with type = cookie and an encrypt_key it is that which logs everyone out', async (t) => {
  const machine = new Machine(t)
  const [key, another] = [SECRET, [...SECRET].toReversed().join('')]
  const before = await machine.start({ type: 'cookie', encryptKey: key })
  const ann = before.client()
  t.is(await before.visit(ann), 1)
  machine.do('replace the secret')
  t.is(await (await machine.start({ type: 'cookie', encryptKey: key })).visit(ann), 2)
  t.is(await (await machine.start({ type: 'cookie', encryptKey: another })).visit(ann), 1)
})

testInShell('S208: removing the sessions logs everyone out, and the processes go on', async (t) => {
  const machine = new Machine(t)
  const server = await machine.start()
  const ann = server.client()
  t.deepEqual([await server.visit(ann), await server.visit(ann)], [1, 2])
  machine.do('remove the sessions')
  t.deepEqual([await server.visit(ann), await server.visit(ann)], [1, 2])
  t.deepEqual(readdirSync(join(machine.directory, 'data')).sort(), ['phial', 'secret'])
})

testInShell('files that are copied with their times hold the sessions, ended ones too; without them they hold none', async (t) => {
  const machine = new Machine(t)
  const { manager } = await machine.start()
  const session = await manager.create()
  await session.set('user', 'ann').save()
  const { id } = session
  const data = join(machine.directory, 'data')
  const copies = [true, false].map((preserveTimestamps) => {
    const copy = join(temporary(t), 'data')
    cpSync(data, copy, { recursive: true, preserveTimestamps })
    return copy
  })
  await session.destroy()
  const found = await Promise.all(copies.map(async (dataDir) => (await (await machine.start({ dataDir })).manager.getById(id))?.get('user')))
  t.deepEqual(found, ['ann', undefined])
})

// Settings

const settingsOf = (t: ExecutionContext, lines: string): Settings => {
  const file = join(temporary(t), 'app.ini')
  writeFileSync(file, `[app:main]\nsession.secret = ${SECRET}\n${lines}`)
  return resolveSettings(phial.loadIni(file), { type: 'memory' }, optionTables)
}

test('every block of settings on the pages is accepted', (t) => {
  const found = [errors, cookies, operations].flatMap((page) => blocks(page, 'ini'))
  t.true(found.length >= 4)
  for (const lines of found) t.notThrows(() => settingsOf(t, lines), lines)
})

const UNITS: Readonly<Record<string, number>> = { days: 86_400, hours: 3600, hour: 3600, minutes: 60 }
const secondsOf = (cell: string): number => {
  const [amount, unit] = cell.split(' ')
  return cell === '–' ? Infinity : Number(amount) * UNITS[unit!]!
}

for (const [level, overall, idle] of tableUnder(operations, 'level', 'overall', 'idle')) {
  test(`S044: a session with the settings for ${level} lasts ${overall}, idle ${idle}, and no longer`, async (t) => {
    const lines = blocks(operations, 'ini').find((block) => block.startsWith(`# ${level}\n`))!
    const { lifetime, timeout } = settingsOf(t, lines)
    t.is(lifetime, secondsOf(overall!))
    t.true(timeout! <= secondsOf(idle!))

    let now = Date.UTC(2030, 0, 1)
    const { client } = await serve(t, async (req, res) => {
      const session = await req.session.load()
      if (session.isNew) await session.save()
      res.end(String(session.isNew))
    }, { ...patient, timeout, lifetime, now: () => now })
    const isNew = async (browser: Client, seconds: number): Promise<string> => {
      now += seconds * 1000
      return browser.text()
    }
    const [busy, lazy] = [client(), client()]
    for (const browser of [busy, lazy]) t.is(await browser.text(), 'true')
    const step = timeout! / 2
    for (let age = step; age < lifetime!; age += step) t.is(await isNew(busy, step), 'false', `after ${age} s`)
    t.is(await isNew(busy, step), 'true')
    t.is(await isNew(lazy, 0), 'true')
    t.is(await isNew(lazy, timeout! - 1), 'false')
    t.is(await isNew(lazy, timeout!), 'true')
  })
}
