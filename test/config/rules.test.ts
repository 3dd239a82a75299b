import test from 'ava'
import { faultOf, iniFile, inSection, resolveIni, resolvePlain, secret, strong } from './support.js'

const other = strong()

/** The lines beside a good secret, the setting and the line that are blamed, and the reason. */
const insecure: [string[], string, number, string][] = [
  [['timeout = off', 'lifetime = off'], 'timeout', 3, 'it is off, and so is session.lifetime: no session would ever end'],
  [['lifetime = none', 'timeout = no'], 'timeout', 4, 'it is off, and so is session.lifetime: no session would ever end'],
  [['timeout = 100', 'lifetime = 99'], 'timeout', 3, '100 is more than session.lifetime, 99: it would never be reached'],
  [['timeout = 2592000'], 'timeout', 3, '2592000 is more than session.lifetime, 1209600: it would never be reached'],
  [['timeout = 100', 'touch_interval = 11'], 'touch_interval', 4, '11 is more than a tenth of session.timeout, 100'],
  [['touch_interval = 8641'], 'touch_interval', 3, '8641 is more than a tenth of session.timeout, 86400'],
  [['timeout = 9', 'touch_interval = 1'], 'touch_interval', 4, '1 is more than a tenth of session.timeout, 9'],
  [['save_accessed_time = false'], 'save_accessed_time', 3, 'without it nobody knows when a session was last used, so session.timeout must be off'],
  [['timeout = 5', 'save_accessed_time = false'], 'save_accessed_time', 4,
    'without it nobody knows when a session was last used, so session.timeout must be off'],
  [['request_budget = 0.5'], 'request_budget', 3, 'session.request_budget, 0.5, is less than session.operation_timeout, 1'],
  [['operation_timeout = 3'], 'operation_timeout', 3, 'session.request_budget, 2, is less than session.operation_timeout, 3'],
  [['cookie_expires = 2020-01-01T00:00:00Z'], 'cookie_expires', 3, 'the date is past: browsers would drop the cookie at once'],
  [['key = __Host-a', 'secure = auto'], 'key', 3, 'browsers take __Host-a only with session.secure true; it is auto'],
  [['secure = false', 'key = __Host-a'], 'key', 4, 'browsers take __Host-a only with session.secure true; it is false'],
  [['key = __Secure-a', 'secure = no'], 'key', 3, 'browsers take __Secure-a only with session.secure true; it is false'],
  [['key = __Http-a', 'secure = 0'], 'key', 3, 'browsers take __Http-a only with session.secure true; it is false'],
  [['key = __Host-a', 'cookie_domain = example.com'], 'key', 3, 'browsers take __Host-a only without session.cookie_domain'],
  [['key = __Host-a', 'cookie_path = /a'], 'key', 3, 'browsers take __Host-a only with session.cookie_path /'],
  [['key = __Http-a', 'httponly = off'], 'key', 3, 'browsers take __Http-a only with session.httponly true'],
  [['key = __Host-Http-a', 'httponly = off'], 'key', 3, 'browsers take __Host-Http-a only with session.httponly true'],
  [['samesite = none', 'secure = false'], 'samesite', 3, 'browsers take none only with session.secure true; it is false'],
  [['secure = auto', 'samesite = none'], 'samesite', 4, 'browsers take none only with session.secure true; it is auto'],
  [['samesite = none', 'httponly = false'], 'samesite', 3, 'with none and without session.httponly, a script in a page that another site frames could read the cookie'],
  [['partitioned = true', 'secure = auto'], 'partitioned', 3, 'browsers take it only with session.secure true; it is auto'],
  [[`encrypt_key = ${secret}`], 'encrypt_key', 3, 'is a secret as well; it must be a key of its own'],
  [[`encrypt_key = ${other} ${secret}`], 'encrypt_key', 3, 'is a secret as well; it must be a key of its own'],
  [['secret_file = none'], 'secret_file', 3, 'session.secret is given as well; one of them'],
  [['type = cookie', `validate_key = ${other}`], 'validate_key', 4,
    'it is another name of session.secret, and a secret is given as well; one of them'],
]
for (const [lines, setting, line, reason] of insecure) {
  test(`S202: ${lines.join(', ').replaceAll(secret, 'SECRET').replaceAll(other, 'OTHER')} is refused at start, with file and line`, t => {
    const path = iniFile(t, inSection(`session.secret = ${secret}`, ...lines.map(written => `session.${written}`)))
    const fault = faultOf(t, () => resolveIni(path))
    t.is(fault.message, `${path}:${line}: session.${setting}: ${reason}`)
    t.deepEqual([fault.setting, fault.file, fault.line], [`session.${setting}`, path, line])
  })
}

test('S202: in TypeScript the same is told with its names', t => {
  t.is(faultOf(t, () => resolvePlain({ timeout: false, lifetime: false })).message,
    'timeout: it is off, and so is lifetime: no session would ever end')
  t.is(faultOf(t, () => resolvePlain({ cookieName: '__Host-a', secure: 'auto' })).message,
    'cookieName: browsers take __Host-a only with secure true; it is auto')
})

test('S202: an override that is at fault is blamed, not the file; one beside the file blames what the file says', t => {
  const path = iniFile(t, inSection(`session.secret = ${secret}`, 'session.touch_interval = 60'))
  t.is(faultOf(t, () => resolveIni(path, { samesite: 'none' } as object)).setting, 'samesite')
  t.is(faultOf(t, () => resolveIni(path, { sameSite: 'none', secure: false })).message,
    'sameSite: browsers take none only with secure true; it is false')
  const fault = faultOf(t, () => resolveIni(path, { timeout: 100 }))
  t.is(fault.message, `${path}:3: session.touch_interval: 60 is more than a tenth of session.timeout, 100`)
})

const fine: object[] = [
  { timeout: 100, lifetime: 100 },
  { timeout: 10, touchInterval: 1 },
  { timeout: false, saveAccessedTime: false },
  { operationTimeout: 2, requestBudget: 2 },
  { sameSite: 'none', partitioned: true },
  { sameSite: 'strict', httpOnly: false },
  { secure: 'auto', trustProxy: '127.0.0.1' },
  { cookieDomain: 'example.com', cookiePath: '/a', sameSite: 'none' },
  { encryptKey: [strong(), strong()] },
  { cookieExpires: new Date('2999-01-01') },
  { cookieExpires: false },
]
for (const [index, input] of fine.entries()) {
  test(`S202: what is sound is taken, ${index + 1}: ${Object.keys(input).join(', ')}`,
    t => t.true(Object.isFrozen(resolvePlain(input))))
}
