/** What a `use` is called here: names of Python's packages that do what a word of ours does are that word. */
export const wordFor = (use: string): string => eggs.get(use.toLowerCase()) ?? use

const eggs: ReadonlyMap<string, string> = new Map([
  ['egg:paste#urlmap', 'urlmap'],
  ['egg:beaker#beaker_session', 'session'],
  ['egg:paste#http', 'http'],
  ['egg:waitress', 'http'],
  ['egg:waitress#main', 'http'],
])

/** What to write in place of a `use` that is not understood, to stand at the end of a message. */
export const adviceForUse = (use: string): string => uses.find(([form]) => form.test(use))?.[1] ?? ''

const uses: readonly (readonly [form: RegExp, advice: string])[] = [
  [/^egg:/i, ': packages of Python are not known here'],
  [/^call:/i, ': a factory is written ./module.js#name()'],
  [/^config:/i, ': one file holds all sections'],
  [/^session$/, ': that stands in a [filter-app:NAME], with next, or in a [filter:NAME]'],
  [/^urlmap$/, ': that stands in a [composite:NAME]'],
  [/^[\w@][\w/@.-]*\.[cm]?[jt]s\b/, ': a path begins with ./'],
]

/** What to write in place of a key that PasteDeploy knows and we do not; `undefined` for any other. */
export const adviceForKey = (key: string): string | undefined => keys.find(([form]) => form.test(key))?.[1]

const keys: readonly (readonly [form: RegExp, advice: string])[] = [
  [/^paste\./, 'names a module of Python; write use = ./module.js, or ./module.js#name() for a factory'],
  [/^filter-with$/, 'is not known here; write a [pipeline:NAME] with pipeline = FILTER APPLICATION'],
  [/^set\s/, 'write it without "set": what stands in a section comes before [DEFAULT]'],
  [/^not_found_app$/, 'is not known here; / = NAME takes what no other prefix takes'],
]
