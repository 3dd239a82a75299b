import { emit } from '../diagnostics.js'
import type { GatedResponse } from './gated-response.js'
import type { HeaderEdits } from './header-edits.js'

/**
 * Merges the sessions' headers into a head that is about to leave, in whatever form the handler gave its own: whatever it
 * set, the last word is here. Takes the arguments of `writeHead`, and returns those that are left for the real one.
 *
 * Applying the same edits again changes nothing.
 */
export const mergeHead = (res: GatedResponse, args: unknown[], edits: readonly HeaderEdits[]): unknown[] => {
  const due = edits.filter(({ cookies, vary, noStore }) => cookies.size > 0 || vary !== undefined || noStore)
  if (due.length === 0) return args
  const given = givenHeaders(args)
  if (given === undefined) return args
  putHeaders(res, given)
  for (const { cookies, fields, vary, noStore } of due) {
    if (cookies.size > 0) putCookies(res, cookies)
    for (const [name, value] of fields ?? []) res.setHeader(name, value)
    if (vary !== undefined) varyBy(res, vary)
    if (noStore) forbidStoring(res)
  }
  return args.slice(0, typeof args[1] === 'string' ? 2 : 1)
}

type Header = readonly [name: string, value: string]

/** What `writeHead` was given beside the status; `undefined` if the real one is going to refuse it. */
const givenHeaders = ([status, reason, headers]: unknown[]): readonly Header[] | undefined => {
  if (!(Number(status) >= 100 && Number(status) < 1000)) return undefined
  const given = headers ?? (typeof reason === 'string' ? undefined : reason)
  if (given === undefined || given === null) return []
  if (!Array.isArray(given)) return Object.entries(given)
  if (Array.isArray(given[0])) return given
  return given.length % 2 === 0 ? pairs(given) : undefined
}

const pairs = (flat: readonly string[]): readonly Header[] =>
  flat.flatMap((name, index): Header[] => index % 2 === 0 ? [[name, flat[index + 1]!]] : [])

/**
 * Over what was set before, as `writeHead` does, but keeping the duplicates of a raw array: Node 20 keeps only the last one,
 * so that all but one of the application's cookies would be lost.
 */
const putHeaders = (res: GatedResponse, headers: readonly Header[]): void => {
  if (headers.length === 0) return
  const seen = new Set<string>()
  for (const [name, value] of headers) {
    const key = String(name).toLowerCase()
    if (seen.has(key)) res.appendHeader(name, value)
    else res.setHeader(name, Array.isArray(value) ? [...value] : value)
    seen.add(key)
  }
}

/** One `Set-Cookie` per name (RFC 6265, section 4.1.1); the application's others stay. */
const putCookies = (res: GatedResponse, cookies: ReadonlyMap<string, string>): void => {
  const others = lines(res, 'Set-Cookie').filter((line) => !cookies.has(cookieName(line)))
  res.setHeader('Set-Cookie', [...others, ...cookies.values()])
}

const cookieName = (line: string): string => line.slice(0, line.search(/[=;]|$/)).trim()

const varyBy = (res: GatedResponse, header: string): void => {
  if (!res.hasHeader('Vary')) return void res.setHeader('Vary', header)
  const fields = list(res, 'Vary')
  if (fields.some((field) => field === '*' || field.toLowerCase() === header.toLowerCase())) return
  res.setHeader('Vary', [...fields, header].join(', '))
}

/** A response that sets a session's cookie is for one user alone: a shared cache that kept it would log others in with it. */
const forbidStoring = (res: GatedResponse): void => {
  if (!res.hasHeader('Cache-Control')) return void res.setHeader('Cache-Control', 'no-store')
  const directives = list(res, 'Cache-Control').map((directive) => directive.toLowerCase())
  const shared = directives.some((directive) => directive === 'public' || directive.startsWith('s-maxage'))
  if (shared) emit('cache-overridden', { value: directives.join(', ') })
  else if (directives.includes('private') || directives.includes('no-store')) return
  res.setHeader('Cache-Control', 'no-store')
}

const list = (res: GatedResponse, name: string): string[] =>
  lines(res, name).flatMap((line) => line.split(',')).map((element) => element.trim()).filter(Boolean)

const lines = (res: GatedResponse, name: string): string[] => {
  const value: unknown = res.getHeader(name)
  if (value === undefined) return []
  return (Array.isArray(value) ? value : [value]).map(String)
}
