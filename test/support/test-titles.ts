/** A test as a page names it. */
export interface NamedTest {
  readonly file: string
  readonly title: string
}

/** Those of a cell: its parts are apart by `<br>`, and each with tests is a file and their titles: `test/a.test.ts`: “one”; “two”. */
export const testsNamedIn = (cell: string): NamedTest[] =>
  cell.split('<br>').flatMap((part) => {
    const file = /^`(test\/[\w/.-]+\.test\.ts)`: /.exec(part)?.[1]
    return file === undefined ? [] : Array.from(part.matchAll(/“([^”]+)”/g), ([, title]) => ({ file, title: title! }))
  })

export interface Title {
  readonly title: string
  readonly isFailing: boolean
}

/** The titles of a file's tests, `…` for what a loop puts into them. */
export const titlesOf = (source: string): Title[] =>
  Array.from(source.matchAll(/\btest\w*((?:\.\w+)*)\(\s*(?=['"`])/g), ({ 0: call, 1: modifiers, index }) =>
    ({ title: literalAt(source, index + call.length), isFailing: modifiers!.includes('.failing') }))

const literalAt = (source: string, start: number): string => {
  const quote = source[start]
  let text = ''
  for (let at = start + 1; source[at] !== quote; at++) {
    if (source[at] === '\\') text += source[++at]
    else if (quote === '`' && source.startsWith('${', at)) {
      at = endOfPlaceholder(source, at + 2)
      text += '…'
    } else text += source[at]
  }
  return text
}

/** Where the brace is that closes a placeholder, past braces and literals inside it. */
const endOfPlaceholder = (source: string, start: number): number => {
  for (let at = start; ; at++) {
    const letter = source[at]!
    if (letter === '}') return at
    if (letter === '{') at = endOfPlaceholder(source, at + 1)
    if (`'"\``.includes(letter)) at = source.indexOf(letter, at + 1)
  }
}
