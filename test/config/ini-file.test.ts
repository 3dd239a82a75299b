import test from 'ava'
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { IniFile, readIniFile } from '../../config/ini-file.js'
import { directory, faultOf, iniFile, inSection, withEnvironment } from './support.js'

const read = (text: string, key: string, section = 'app:main'): string | undefined =>
  new IniFile('/srv/app/app.ini', text).section(section).text(key)?.text

const values: [string, string, string][] = [
  ['as it stands', 'a b  c', 'a b  c'],
  ['blanks at the ends go', '   a   ', 'a'],
  ['# and ; inside survive', 'a#b;c', 'a#b;c'],
  ['Paste names survive', 'egg:Paste#urlmap', 'egg:Paste#urlmap'],
  ['# after a blank starts a comment', 'a #b', 'a'],
  ['; after a tab starts a comment', 'a\t; b ; c', 'a'],
  ['nothing but a comment', '# b', ''],
  ['nothing', '', ''],
  ['more =', 'a=b==', 'a=b=='],
  ['colons', 'C:\\data', 'C:\\data'],
  ['backslashes', 'a\\;b\\#c\\', 'a\\;b\\#c\\'],
  ['words stay words', 'true', 'true'],
  ['null stays a word', 'null', 'null'],
  ['digits stay text', '00012345678901234567890', '00012345678901234567890'],
  ['brackets', '[a]', '[a]'],
  ['quotes inside', 'a "b" c', 'a "b" c'],
  ['double quotes', '"x;y # z"', 'x;y # z'],
  ['double quotes and a comment', '" a " ; b', ' a '],
  ['double quotes read escapes', '"a\\"b\\\\c\\u0041"', 'a"b\\cA'],
  ['single quotes', "' a\\n\"#;b '", ' a\\n"#;b '],
  ['single quotes round digits', "'12345678901234567890'", '12345678901234567890'],
  ['single quotes round a word', "'true' # b", 'true'],
  ['quoted nothing', '""', ''],
  ['beyond the basic plane', '🍪', '🍪'],
  ['%%', '100%%', '100%'],
  ['%% before (', '%%(here)s', '%(here)s'],
  ['other % are just that', '5% %s %', '5% %s %'],
  ['$${', '$${HOME} $5 $$', '${HOME} $5 $$'],
]
for (const [name, raw, expected] of values) {
  test(`a value is read: ${name}`, t => t.is(read(inSection(`key = ${raw}`), 'key'), expected))
}

test('line ends of all systems and a byte order mark are read', t => {
  const file = readIniFile(iniFile(t, '\uFEFF[one]\r\na = 1\r[two] ; note\nb = 2\r\n\r\n[three]#note\rc=3'))
  t.deepEqual(file.sections, ['one', 'two', 'three'])
  t.deepEqual(['one', 'two', 'three'].map(name => file.section(name).keys), [['a'], ['b'], ['c']])
  t.is(file.section('three').line('c'), 7)
})

test('names of sections and keys are flat, and keep their case', t => {
  const names = ['a.b', 'a', 'b', 'a.b.c', 'composite:main', 'constructor', 'x "y"', 'true', '1']
  const file = new IniFile('x.ini', names.map(name => `[ ${name} ]\n/blog.x = ${name}\nKEY = 1\nkey = 2\n"q" = 3\nconstructor.prototype.x = 4`).join('\n'))
  t.deepEqual(file.sections.toSorted(), names.toSorted())
  for (const name of names) {
    t.is(file.section(name).text('/blog.x')?.text, name)
    t.deepEqual(file.section(name).keys, ['/blog.x', 'KEY', 'key', '"q"', 'constructor.prototype.x'])
  }
})

const refused: [string, string, number, RegExp][] = [
  ['a section without its end', '[a]\nb = 1\n[c\nd = 1', 3, /not terminated/],
  ['more after a section', '[a] b', 1, /more than the name/],
  ['a section without a name', '[ ]', 1, /cannot be named/],
  ['a bracket in a section', '[a[b]', 1, /cannot be named/],
  ['a backslash in a section', '[a\\.b]', 1, /cannot be named/],
  ['a colon for the =', '[a]\nb : 1', 2, /colon/],
  ['a colon before the =', '[a]\nb:c = 1', 2, /colon/],
  ['a line without =', '[a]\n\nb', 3, /no "="/],
  ['a line without a key', '[a]\n= b', 2, /cannot be named/],
  ['a list key', '[a]\nb[] = 1', 2, /cannot be named/],
  ['a continued value', '[a]\nb = 1\n  2', 3, /continuation/],
  ['an indented key', '[a]\n\tb = 1', 2, /continuation/],
  ['a key twice', '[a]\nb = 1\n\nb = 2', 4, /first on line 2/],
  ['a section twice', '[a]\n[b]\n[a]', 3, /first on line 1/],
  ['a key before the first section', '# x\nb = 1\n[a]', 2, /before the first \[section\]/],
  ['a NUL', '[a]\nb = 1\0', 2, /control character/],
  ['a line separator', '[a]\nb = 1\u2028c = 2', 2, /control character/],
  ['an escape sequence', '[a]\nb\x1b = 1', 2, /control character/],
]
for (const [name, text, line, message] of refused) {
  test(`S200: the reader refuses ${name}, with file and line`, t => {
    const fault = faultOf(t, () => new IniFile('conf/x.ini', text))
    t.is(fault.file, 'conf/x.ini')
    t.is(fault.line, line)
    t.true(fault.message.startsWith(`conf/x.ini:${line}: `))
    t.regex(fault.message, message)
  })
}

test('S200: a line that cannot be read is not shown: it may be a secret', t => {
  for (const line of ['MjY4c2VjcmV0', 'MjY4c2VjcmV0 : x', '  MjY4c2VjcmV0 = x', 'MjY4c2VjcmV0 = x\0', 'x = 1\nx = MjY4c2VjcmV0',
    'x = 1 MjY4c2VjcmV0\n[x', '[x]MjY4c2VjcmV0']) {
    t.notRegex(faultOf(t, () => new IniFile('x.ini', inSection(line))).message, /MjY4/)
  }
  for (const value of ['"MjY4', '%(MjY4', '${MjY4', '${Mj-Y4}', '"MjY4\\q"', "'MjY4' x"]) {
    t.notRegex(faultOf(t, () => read(inSection(`x = ${value}`), 'x')).message, /Mj/, value)
  }
})

const badValues: [string, string, RegExp][] = [
  ['an open double quote', '"a', /quotes that do not match/],
  ['an open single quote', "'a", /quotes that do not match/],
  ['more after quotes', '"a"b', /quotes that do not match/],
  ['an escape that JSON does not know', '"C:\\data"', /quotes that do not match/],
  ['a lone quote', '"', /quotes that do not match/],
  ['a reference to nothing', '%(nope)s', /there is no "nope" in \[app:main\] or \[DEFAULT\]/],
  ['a reference without its end', '%(here', /%%\( stands for/],
  ['a reference of another type', '%(here)d', /%%\( stands for/],
  ['a variable that is not set', '${PHIAL_NOT_SET}', /the environment variable PHIAL_NOT_SET is not set/],
  ['what every object has', '${constructor}', /the environment variable constructor is not set/],
  ['a variable without its end', '${HOME', /\$\$\{ stands for/],
  ['a variable without a name', '${}', /\$\$\{ stands for/],
]
for (const [name, raw, message] of badValues) {
  test(`S200: a value with ${name} is refused when it is asked for, with file, line and key`, t => {
    const section = new IniFile('x.ini', inSection('good = 1', `bad = ${raw}`)).section('app:main')
    t.is(section.text('good')?.text, '1')
    const { setting, file, line, message: told } = faultOf(t, () => section.text('bad'))
    t.deepEqual({ setting, file, line }, { setting: 'bad', file: 'x.ini', line: 3 })
    t.regex(told, message)
  })
}

test('%(name)s stands for a key of the section, else of [DEFAULT], else for where the file is', t => {
  const text = '[DEFAULT]\nroot = %(here)s/d\nname = default\n[app:main]\nname = own\npath = "%(root)s/%(name)s"\nspaced = %(with blank)s\nwith blank = x # y'
  t.is(read(text, 'path'), '/srv/app/d/own')
  t.is(read(text, 'root'), '/srv/app/d')
  t.is(read(text, 'spaced'), 'x')
  t.is(read(text, 'nope'), undefined)
  t.deepEqual(new IniFile('x.ini', text).sections, ['app:main'])
  t.is(read('[app:main]\nhere = mine\na = %(here)s', 'a'), 'mine')
})

test('a relative path of a file has a whole directory', t => {
  t.is(new IniFile('conf/x.ini', '[a]\nb = %(here)s').section('a').text('b')?.text, join(process.cwd(), 'conf'))
})

test('${NAME} stands for the environment, and is not looked at again', t => {
  withEnvironment({ PHIAL_A: '%(x)s ${HOME} #;"', PHIAL_B: '' }, () => {
    const text = inSection('a = <${PHIAL_A}>', 'b = ${PHIAL_B}', 'c = %(a)s', 'd = 1')
    const section = new IniFile('x.ini', text).section('app:main')
    t.deepEqual(section.text('a'), { text: '<%(x)s ${HOME} #;">', fromEnvironment: true })
    t.deepEqual(section.text('b'), { text: '', fromEnvironment: true })
    t.deepEqual(section.text('c'), { text: '<%(x)s ${HOME} #;">', fromEnvironment: true })
    t.deepEqual(section.text('d'), { text: '1', fromEnvironment: false })
  })
})

test('S205: references that lead back, go deep or grow without end are refused', t => {
  const fault = (...lines: string[]): string => faultOf(t, () => read(inSection(...lines), 'a')).message
  t.regex(fault('a = %(a)s'), /x?app\.ini:2: a: %\(a\)s leads back/)
  t.regex(fault('a = %(b)s', 'b = %(c)s', 'c = %(a)s'), /app\.ini:4: c: %\(a\)s leads back/)
  const chain = Array.from({ length: 20_000 }, (_, n) => `k${n} = %(k${n + 1})s`)
  t.regex(fault('a = %(k0)s', ...chain), /more than 10 references deep/)
  const laughs = ['b', 'c', 'd', 'e', 'f', 'g'].map((key, at, all) => `${key} = ${`%(${all[at + 1] ?? 'end'})s`.repeat(1000)}`)
  t.regex(fault('a = %(b)s', ...laughs, 'end = ha'), /more than 65536 characters/)
  t.is(read(inSection('a = %(b)s', ...laughs, 'end ='), 'a'), '')
})

test('S201: no key or section reaches a prototype', t => {
  const before = Object.getOwnPropertyNames(Object.prototype)
  for (const text of ['[__proto__]\nx = 1', '[a]\n__proto__ = 1', '[a]\n__proto__[] = 1', '[DEFAULT]\n__proto__ = 1',
    '[a]\n[ __proto__ ]']) {
    faultOf(t, () => new IniFile('x.ini', text))
  }
  const text = '[constructor]\nprototype.x = 1\nconstructor.prototype.x = 1\n__proto__.x = 1\n[a.__proto__]\nx = 1\n[constructor.prototype]\nx = 1\n[toString]\nx = 1'
  const file = new IniFile('x.ini', text)
  t.deepEqual(file.sections.length, 4)
  t.is(file.section('a.__proto__').text('x')?.text, '1')
  t.is(file.section('constructor').text('toString'), undefined)
  t.is(({} as Record<string, unknown>)['x'], undefined)
  t.deepEqual(Object.getOwnPropertyNames(Object.prototype), before)
})

test('S200: a section that is not there is told with those that are', t => {
  const fault = faultOf(t, () => new IniFile('x.ini', '[DEFAULT]\na = 1\n[b]\n[c:d]').section('app:main'))
  t.is(fault.message, 'x.ini: there is no section [app:main]; there are: [b], [c:d]')
  t.is(fault.file, 'x.ini')
  t.is(faultOf(t, () => new IniFile('x.ini', '').section('a')).message, 'x.ini: there is no section [a]; there is none at all')
  faultOf(t, () => new IniFile('x.ini', '[a]').section('__proto__'))
})

test('a file that cannot be read is a ConfigError with its name and cause', t => {
  const root = directory(t)
  const missing = faultOf(t, () => readIniFile(join(root, 'no.ini')))
  t.is(missing.file, join(root, 'no.ini'))
  t.regex(missing.message, /there is no file/)
  t.is((missing.cause as NodeJS.ErrnoException).code, 'ENOENT')
  t.regex(faultOf(t, () => readIniFile(root)).message, /is not a file/)
  t.regex(faultOf(t, () => readIniFile(`${root}/a\0b`)).message, /cannot be read/)
  writeFileSync(join(root, 'latin1.ini'), Buffer.from([0x5b, 0x61, 0x5d, 0x0a, 0xe9]))
  t.regex(faultOf(t, () => readIniFile(join(root, 'latin1.ini'))).message, /not UTF-8/)
  writeFileSync(join(root, 'big.ini'), '#'.repeat(1_048_577))
  t.regex(faultOf(t, () => readIniFile(join(root, 'big.ini'))).message, /at most 1048576/)
})

if (process.platform !== 'win32') {
  test('a named pipe is refused, not waited for', t => {
    const pipe = join(directory(t), 'pipe')
    t.is(spawnSync('mkfifo', [pipe]).status, 0)
    t.regex(faultOf(t, () => readIniFile(pipe)).message, /is not a file/)
  })
}

test('a relative path is read from the working directory, and told as it was given', t => {
  const root = directory(t)
  mkdirSync(join(root, 'conf'))
  t.is(faultOf(t, () => readIniFile('no/such.ini')).file, 'no/such.ini')
  t.is(new IniFile('no/such.ini', '').directory, dirname(join(process.cwd(), 'no/such.ini')))
})
