import test from 'ava'
import {
  CodecError, ConfigError, DependencyError, HeadersSentError, LockTimeoutError, SessionClosedError, SessionConflictError, SessionGoneError,
  StoreError, StoreOutcomeUnknownError, StoreTimeoutError, StoreUnavailableError, TooLargeError
} from '../../src/errors.js'
import { failureAnswer } from '../../src/http/failure-answer.js'

const details = { backend: 'memory', operation: 'replace' }
const secret = 'redis://user:password@10.0.0.1'

const answers: [error: Error, status: number][] = [
  [new StoreError(secret, details), 503],
  [new StoreTimeoutError(secret, details), 503],
  [new StoreUnavailableError(secret, details), 503],
  [new StoreOutcomeUnknownError(secret, details), 503],
  [new SessionConflictError(secret), 503],
  [new LockTimeoutError(secret), 503],
  [new SessionClosedError(secret), 503],
  [new SessionGoneError(secret), 409],
  [new CodecError(secret, 'user.born'), 500],
  [new TooLargeError(secret, 2, 1), 500],
  [new HeadersSentError(secret), 500],
  [new ConfigError(secret), 500],
  [new DependencyError(secret), 500],
  [new Error(secret), 500]
]

for (const [error, status] of answers) {
  test(`${error.name} is answered with ${status}, which tells nothing and is kept by nobody`, (t) => {
    const answer = failureAnswer(error)
    t.is(answer.status, status)
    t.is(answer.headers['Cache-Control'], 'no-store')
    t.is(answer.headers['Content-Length'], String(Buffer.byteLength(answer.body)))
    t.is(answer.headers['Retry-After'], status === 503 ? '1' : undefined)
    t.false('Set-Cookie' in answer.headers)
    t.false(JSON.stringify(answer).includes(secret))
  })
}
