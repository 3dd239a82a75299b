/**
 * The values that came under exactly this name in a `Cookie` header, in the order they came, duplicates kept.
 * Never throws. Strict where cookies are smuggled: names compare byte for byte (nothing is decoded or mapped), only SP and
 * TAB are trimmed, a quote is an octet like any other, so that none spans a `;`, and `$Version` means nothing.
 *
 * The reading is our own because the `cookie` package keeps only the first of several equal names, and the order may be an
 * attacker's: servers should not rely on it (RFC 6265bis, section 4.2.2). Nor is anything made of cookies that are not ours.
 *
 * Linear: each pair is entered at most once, and its blanks are passed at most twice on either side.
 */
export const readCookies = (header: string | undefined, name: string): readonly string[] => {
  const values: string[] = []
  if (header === undefined) return values
  for (let end = -1; end < header.length;) {
    const at = header.indexOf(name, end + 1)
    if (at === -1) break
    end = endOfPair(header, at)
    const equals = skipBlanks(header, at + name.length)
    if (header[equals] === '=' && startsPair(header, at)) values.push(trimmed(header, equals + 1, end))
  }
  return values
}

const endOfPair = (header: string, from: number): number => {
  const semicolon = header.indexOf(';', from)
  return semicolon === -1 ? header.length : semicolon
}

const startsPair = (header: string, at: number): boolean => {
  const before = skipBlanksBack(header, at)
  return before === 0 || header[before - 1] === ';'
}

const trimmed = (header: string, from: number, to: number): string => {
  const start = skipBlanks(header, from)
  return header.slice(start, skipBlanksBack(header, to))
}

const skipBlanks = (header: string, from: number): number => {
  let at = from
  while (isBlank(header[at])) at++
  return at
}

const skipBlanksBack = (header: string, from: number): number => {
  let at = from
  while (isBlank(header[at - 1])) at--
  return at
}

/** Not `trim()`, which takes U+00A0 and U+2000 for blanks, and so another's name for ours. */
const isBlank = (octet: string | undefined): boolean => octet === ' ' || octet === '\t'
