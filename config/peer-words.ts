import type { SettingName } from './table.js'

/** How a setting is written where the word was found. */
type Name = (setting: SettingName) => string

/** What to write for a word of another session library's, or why there is none. Lower case, letters and digits only. */
export const peerWords: ReadonlyMap<string, (name: Name) => string> = new Map(
  Object.entries({
    name: is('cookieName'),
    sessionname: is('cookieName'),
    cookiekey: is('cookieName'),
    sessioncookiename: is('cookieName'),
    store: is('type'),
    backend: is('type'),
    defaultbackend: is('type'),
    engine: is('type'),
    storage: is('type'),
    driver: is('type'),
    namespaceclass: is('type'),
    uri: is('url'),
    redisurl: is('url'),
    connectionstring: is('url'),
    location: is('url'),
    host: is('url'),
    hosts: is('url'),
    server: is('url'),
    servers: is('url'),
    cachealias: is('cache'),
    path: is('cookiePath'),
    domain: is('cookieDomain'),
    cookiesecure: is('secure'),
    sslonly: is('secure'),
    httpsonly: is('secure'),
    cookiehttponly: is('httpOnly'),
    cookiesamesite: is('sameSite'),
    cookiepartitioned: is('partitioned'),
    cookiepriority: is('priority'),
    environkey: is('requestKey'),
    decoratorname: is('requestKey'),
    secretkey: is('secret'),
    secrets: is('secret'),
    cookiesecret: is('secret'),
    keys: is('secret'),
    password: is('secret'),
    signed: name => `there is none: the cookie is always signed, with ${name('secret')}`,
    encryptionkey: is('encryptKey'),
    cookieencryptionkey: is('encryptKey'),
    savepath: is('dataDir'),
    filepath: is('dataDir'),
    directory: is('dataDir'),
    serializer: is('dataSerializer'),
    sessionserializer: is('dataSerializer'),
    proxy: is('trustProxy'),
    forwarded: is('trustProxy'),
    prefix: is('namespace'),
    keyprefix: is('namespace'),
    idletimeout: is('timeout'),
    inactivitytimeout: is('timeout'),
    absolutetimeout: is('lifetime'),
    absoluteduration: is('lifetime'),
    gcmaxlifetime: is('timeout'),
    ttl: life,
    age: life,
    maxage: life,
    sessionmaxage: life,
    sessionexpires: life,
    sessioncookieage: life,
    duration: life,
    expiry: life,
    expires: life,
    expiresdays: life,
    cookieage: name => `in seconds, ${name('cookieExpires')}`,
    cookiemaxage: name => `in seconds, ${name('cookieExpires')}`,
    expireatbrowserclose: name => `true is the default of ${name('cookieExpires')}`,
    resave: name => `there is none: only save() writes, or with ${name('auto')} a session that changed`,
    savesession: name => `there is none: only save() writes, or with ${name('auto')} a session that changed`,
    saveeveryrequest: name => `there is none: only save() writes, or with ${name('auto')} a session that changed`,
    saveuninitialized: () => 'there is none: a session that nobody saved is never kept and sends no cookie',
    rolling: name => `there is none: using a session moves its idle end (${name('timeout')}, ${name('touchInterval')})`,
    touchafter: is('touchInterval'),
    disabletouch: name => `the opposite, ${name('saveAccessedTime')}`,
    unset: () => 'there is none: destroy() removes a session',
    genid: () => 'there is none: ids are 256 random bits, made here alone',
    generateid: () => 'there is none: ids are 256 random bits, made here alone',
    overwrite: () => 'there is none: one cookie of a name is sent with a response',
    cookieargs: cookie,
    cookieoptions: cookie,
    cookies: cookie,
    cookie: cookie,
    crypto: encryption,
    cryptotype: encryption,
    cryptomodule: encryption,
    encryptnoncebits: encryption,
    hashalgorithm: encryption,
    algorithm: encryption,
    memcachemodule: later,
  }),
)

function is(setting: SettingName): (name: Name) => string {
  return name => `here it is ${name(setting)}`
}

function life(name: Name): string {
  return `in seconds, ${name('timeout')} (unused) and ${name('lifetime')} (in all); for the cookie ${name('cookieExpires')}`
}

function cookie(name: Name): string {
  return `each has a setting of its own: ${name('cookieDomain')}, ${name('cookiePath')}, ${name('secure')} …`
}

function encryption(name: Name): string {
  return `there is none: ${name('encryptKey')} encrypts with AES-256-GCM`
}

function later(): string {
  return 'not in this release'
}
