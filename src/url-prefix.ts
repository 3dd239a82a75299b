/**
 * A prefix of paths, `/broker`, as it is compared: without slashes at its end, so that all paths together are `''`.
 *
 * Requests are compared as they came, so a prefix is written as it is sent: what no client would send is refused, with a `TypeError`.
 */
export const readUrlPrefix = (written: string): string => {
  const name = JSON.stringify(written)
  if (!written.startsWith('/')) throw new TypeError(`${name} is no prefix of paths: it begins with "/"; hosts are not told apart`)
  const prefix = written.replace(/\/+$/, '')
  if (!/^(?:[\w\-.~!$&'()*+,;=:@/]|%[\dA-Fa-f]{2})*$/.test(prefix)) {
    throw new TypeError(`${name} is no prefix of paths: it has no query, and what is not ASCII is written as it is sent, "%C3%A9" for "é"`)
  }
  if (/\/(?:\.{0,2})(?:\/|$)/.test(prefix)) throw new TypeError(`${name} is no prefix of paths: a part is empty, "." or ".."`)
  return prefix
}
