import type { ServerResponse } from 'node:http'
import { checkToken, csrfToken, givenOut, refused } from '../session/csrf.js'
import { sessionOf, writingTo } from '../session/session-of.js'
import { searchFor, tokenInBody } from './csrf-body.js'
import type { BodyRequest } from './csrf-body.js'
import { csrfField, csrfForm } from './csrf-form.js'
import { ownSources } from './csrf-source.js'
import type { CsrfSourceOptions, SourceRequest } from './csrf-source.js'
import type { SessionRequest } from './wrap.js'

export interface CsrfGuardOptions extends CsrfSourceOptions {
  /** How far into a form's body the token is looked for, in bytes: `csrf.form` puts it first. Default 65,536. */
  readonly bodyLimit?: number
}

/** Methods that change nothing (RFC 9110, section 9.2.1). */
const SAFE: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])
/** For `fetch`. A form cannot set it, nor can another origin's script without being asked about it first (CORS). */
const HEADER = 'x-csrf-token'

/**
 * Rejects with `CsrfError` unless one of the application's own pages sent the request, with a token of its session: for applications
 * that read the body themselves. The response waits for it: not awaited, a refusal becomes the answer.
 */
const check = (req: SourceRequest, token: unknown, options: CsrfSourceOptions = {}): Promise<void> =>
  writingTo(req, async () => {
    if (!ownSources(options)(req)) throw refused('cross-site')
    await checkToken(req, token)
  })

/**
 * Lets requests that change nothing (GET, HEAD, OPTIONS, TRACE) through to the handler, and others if one of the application's own pages
 * sent them with a token of their session: in the header `X-CSRF-Token`, or in the field `csrf_token` of a form. The handler still
 * finds the body whole. What is refused is a `CsrfError`, which becomes the answer 403. It stands inside `withSession`.
 */
const guard = <R extends object = SessionRequest, S = ServerResponse, Rest extends unknown[] = []>(
  handler: (req: R, res: S, ...rest: Rest) => unknown,
  { bodyLimit = 65_536, ...sources }: CsrfGuardOptions = {},
): ((req: R, res: S, ...rest: Rest) => unknown) => {
  const isOwn = ownSources(sources)
  return (req, res, ...rest) => {
    sessionOf(req) // that it has none shows with the first page, not with the first form
    const request = req as R & GuardedRequest
    if (SAFE.has(request.method)) return handler(req, res, ...rest)
    return admit(request, isOwn, bodyLimit).then(() => handler(req, res, ...rest))
  }
}

const admit = async (req: GuardedRequest, isOwn: (req: SourceRequest) => boolean, bodyLimit: number): Promise<void> => {
  try {
    if (!isOwn(req)) throw refused('cross-site')
    await checkToken(req, req.headers[HEADER] ?? (await tokenInForm(req, bodyLimit)))
  } catch (error) {
    req.resume() // a client that is still sending sees no answer otherwise
    throw error
  }
}

/** A body is read only where there may be a token to it. */
const tokenInForm = async (req: GuardedRequest, bodyLimit: number): Promise<string | undefined> => {
  const search = searchFor(req)
  if (search === undefined) return undefined
  await givenOut(req)
  return tokenInBody(req, search, bodyLimit)
}

interface GuardedRequest extends BodyRequest {
  readonly method?: string | undefined
  readonly headers: BodyRequest['headers'] & SourceRequest['headers']
  resume(): unknown
}

/** Protection against forged requests, by tokens that only the application's own pages know. */
export const csrf: {
  readonly token: typeof csrfToken
  readonly field: typeof csrfField
  readonly form: typeof csrfForm
  readonly check: typeof check
  readonly guard: typeof guard
} = { token: csrfToken, field: csrfField, form: csrfForm, check, guard }
