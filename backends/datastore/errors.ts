import { SessionError, StoreError, StoreOutcomeUnknownError, StoreTimeoutError, StoreUnavailableError } from '../../src/errors.js'
import { CODE, Failure } from './failure.js'

/**
 * The one place where failures become the library's errors. `mayHaveLanded`: a write was sent, in this try or an earlier one, and
 * what became of it was not learnt. The server's words stand in the cause alone: they may hold a key.
 */
export const toStoreError = (error: unknown, operation: string, mayHaveLanded = false): SessionError => {
  if (error instanceof SessionError) return error
  const details = { backend: 'datastore', operation, cause: error instanceof Failure ? (error.cause ?? error) : error }
  if (!(error instanceof Failure)) return new StoreError(`datastore: ${operation} failed`, details)
  const { code, message } = error
  if (code === CODE.DEADLINE_EXCEEDED) return new StoreTimeoutError(`datastore: ${operation} was not answered in time`, details)
  if (mayHaveLanded) return outcomeUnknown(operation, details.cause)
  const Kind = error.isPassing ? StoreUnavailableError : StoreError
  return new Kind(`datastore: ${operation} ${advice.get(code) ?? message}`, details)
}

export const outcomeUnknown = (operation: string, cause?: unknown): StoreOutcomeUnknownError =>
  new StoreOutcomeUnknownError(`datastore: whether the ${operation} took effect could not be learnt`, { backend: 'datastore', operation, cause })

const advice: ReadonlyMap<number | undefined, string> = new Map([
  [CODE.PERMISSION_DENIED, 'was refused: the account lacks roles/datastore.user, or this is not its project (PERMISSION_DENIED)'],
  [CODE.UNAUTHENTICATED, 'was refused: the credentials are not accepted (UNAUTHENTICATED)'],
  [CODE.NOT_FOUND, 'failed: there is no such database in the project (NOT_FOUND)'],
  [CODE.FAILED_PRECONDITION, 'failed: the database is not in Datastore mode, or lacks an index (FAILED_PRECONDITION)'],
  [CODE.UNIMPLEMENTED, 'failed: what answers is not Datastore (UNIMPLEMENTED)'],
  [CODE.ABORTED, 'failed: others keep writing there (ABORTED)'],
  [CODE.RESOURCE_EXHAUSTED, 'was refused: a quota is spent (RESOURCE_EXHAUSTED)'],
  [CODE.UNAVAILABLE, 'failed: the server is not available (UNAVAILABLE)'],
])
