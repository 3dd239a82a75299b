import test from 'ava'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createManager, loadIni } from '../../src/index.js'
import { temporaryDirectory } from '../support/every-backend.js'
import { SECRET } from '../support/harness.js'

const cases: readonly [string, string, number | undefined, RegExp][] = [
  ['a type that there is not', 'session.type = redsi', 3, /session\.type: expected memory, file, cookie.* got "redsi"/],
  ['a directory that others may write to', 'session.type = file\nsession.data_dir = %(here)s/open', 4, /session\.data_dir: .*written to by others/],
  ['a file backend without a directory', 'session.type = file', undefined, /session\.data_dir: /],
  ['an option that is out of range', 'session.type = cookie\nbeaker.session.cookie.chunks = 9', 4, /beaker\.session\.cookie\.chunks: /],
]

for (const [what, lines, line, message] of cases) {
  test(`S200: a fault that shows when a setting is put to use has its file and line: ${what}`, (t) => {
    const directory = temporaryDirectory(t)
    mkdirSync(join(directory, 'open'))
    chmodSync(join(directory, 'open'), 0o777)
    const file = join(directory, 'app.ini')
    writeFileSync(file, `[app:main]\nsession.secret = ${SECRET}\n${lines}\n`)
    const error = t.throws(() => createManager(loadIni(file)), { code: 'PHIAL_CONFIG', message }) as Error & { file?: string; line?: number }
    t.is(error.file, file)
    t.is(error.line, line)
    t.true(error.message.startsWith(line === undefined ? `${file}: session.` : `${file}:${line}: `), error.message)
  })
}

test('a fault of an override is not said to be in the file', (t) => {
  const file = join(temporaryDirectory(t), 'app.ini')
  writeFileSync(file, `[app:main]\nsession.secret = ${SECRET}\nsession.type = memory\n`)
  const error = t.throws(() => createManager(loadIni(file), { type: 'redsi' }), { code: 'PHIAL_CONFIG' }) as Error & { file?: string }
  t.is(error.file, undefined)
})
