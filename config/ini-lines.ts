import { fault } from './origin.js'

/** One line that says something: the head of a section, or a key with its value as it stands, comment and quotes included. */
export type IniLine =
  | { readonly line: number; readonly section: string }
  | { readonly line: number; readonly key: string; readonly raw: string }

/**
 * Reads the lines and refuses, with file and line, all that INI readers disagree about. No error shows a value: it may
 * be a secret.
 */
export const readIniLines = (text: string, file: string): IniLine[] => {
  const lines: IniLine[] = []
  for (const [index, written] of text.split(/\r\n|\r|\n/).entries()) {
    const line = index + 1
    const found = readLine(written, message => fault({ file, line }, message))
    if (found !== undefined) lines.push({ line, ...found })
  }
  return lines
}

type Refuse = (message: string) => Error
type Found = { readonly section: string } | { readonly key: string; readonly raw: string }

const readLine = (written: string, refuse: Refuse): Found | undefined => {
  const line = written.trim()
  if (line === '' || /^[#;]/.test(line)) return undefined
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(line.replaceAll('\t', ' '))) throw refuse('a control character: is this a text file?')
  if (/^\s/.test(written)) throw refuse('a line that starts with a blank: there are no continuation lines here')
  return line.startsWith('[') ? readHead(line, refuse) : readEntry(line, refuse)
}

const readHead = (line: string, refuse: Refuse): Found => {
  const end = line.indexOf(']')
  if (end < 0) throw refuse('a section that is not terminated: "]" is missing')
  const section = line.slice(1, end).trim()
  if (!/^(?:[#;]|$)/.test(line.slice(end + 1).trim())) throw refuse('more than the name of a section')
  const isName = section !== '' && !/[[\\]/.test(section) && section !== '__proto__'
  if (!isName) throw refuse(`a section cannot be named ${JSON.stringify(section)}`)
  return { section }
}

const readEntry = (line: string, refuse: Refuse): Found => {
  const [, key = '', separator] = /^([^=:]*)(.?)/.exec(line)!
  const name = key.trim()
  if (/^https?:\/\//i.test(line)) throw refuse('a prefix begins with "/": hosts are not told apart')
  if (separator === ':') throw refuse('expected "key = value"; got a colon where the "=" should be')
  if (separator !== '=') throw refuse('expected "key = value"; there is no "=" on this line')
  if (name === '' || name === '__proto__' || name.endsWith('[]')) throw refuse(`a key cannot be named ${JSON.stringify(name)}`)
  return { key: name, raw: line.slice(key.length + 1).trim() }
}
