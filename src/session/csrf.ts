import { createHmac, timingSafeEqual } from 'node:crypto'
import { emit } from '../diagnostics.js'
import { CsrfError } from '../errors.js'
import type { CsrfReason } from '../errors.js'
import { randomText } from '../random.js'
import { fieldsOf } from './session.js'
import { sessionOf, writingTo } from './session-of.js'

const FIELD = 'csrf'
const SECRET_BYTES = 32
const NONCE_BYTES = 16

/** A nonce of 16 bytes and an HMAC-SHA-256, in base64url. */
export const TOKEN_CHARS = 65
const TOKEN = /^([\w-]{22})([\w-]{43})$/

/**
 * A token of the request's session, another one at each call, so that a page that is compressed betrays nothing (BREACH). All of them are
 * good until the session gets a new id, is cleared or is over. The first one of a session draws its secret and writes it, and with it the
 * session itself if it is new: before the headers leave. Rejects like `Session.update`.
 */
export const csrfToken = (req: object): Promise<string> =>
  writingTo(req, async (object) => {
    const fields = fieldsOf(await object.load())
    const secret = await fields.setDefault(FIELD, () => randomText(SECRET_BYTES))
    const nonce = randomText(NONCE_BYTES)
    return nonce + macOf(secret, fields.recordKey, nonce)
  })

/** Rejects with `CsrfError` for what is no token of the request's session, and with `StoreError` and kin when the session cannot be loaded. */
export const checkToken = async (req: object, token: unknown): Promise<void> => {
  if (token === undefined || token === '') throw refused('no-token')
  const [, nonce = '', mac = ''] = (typeof token === 'string' && TOKEN.exec(token)) || []
  if (mac === '') throw refused('bad-token')
  const { secret, recordKey } = await givenOut(req)
  // Of one length, as texts: what base64 would read alike is not alike.
  if (!timingSafeEqual(Buffer.from(mac), Buffer.from(macOf(secret, recordKey, nonce)))) throw refused('bad-token')
}

/** What the tokens of the request's session are made of. Rejects like `checkToken` when nobody can have one of it. */
export const givenOut = async (req: object): Promise<{ readonly secret: unknown; readonly recordKey: string }> => {
  const fields = fieldsOf(await sessionOf(req).load())
  const secret = fields.get(FIELD)
  if (secret !== undefined) return { secret, recordKey: fields.recordKey }
  fields.assertWritable() // a store that is down is no reason to call the form expired
  throw refused('no-session')
}

/** Bound to the record's key, which is another one after a log-in: the tokens from before it die. */
const macOf = (secret: unknown, recordKey: string, nonce: string): string =>
  createHmac('sha256', String(secret)).update(`phial csrf ${recordKey} ${nonce}`).digest('base64url')

/** The error, told on its way. */
export const refused = (reason: CsrfReason): CsrfError => {
  emit('csrf-refused', { reason })
  return new CsrfError(MESSAGES[reason], reason)
}

const MESSAGES: Readonly<Record<CsrfReason, string>> = {
  'cross-site': 'The request came from another site.',
  'no-token': 'The request brought no token.',
  'no-session': 'The form expired: its session is over.',
  'bad-token': 'The form expired: its token is not of this session.',
}
