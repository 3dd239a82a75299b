import test from 'ava'
import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  CodecError, ConfigError, CsrfError, DependencyError, HeadersSentError, LockTimeoutError, SessionClosedError, SessionConflictError, SessionError, SessionGoneError,
  StoreError, StoreOutcomeUnknownError, StoreTimeoutError, StoreUnavailableError, TooLargeError
} from '../../src/errors.js'
import { failureAnswer } from '../../src/http/failure-answer.js'
import { withSession } from '../../src/index.js'
import type { SessionRequest } from '../../src/index.js'
import { listen } from '../support/app.js'
import { FaultyStore } from '../support/faulty-store.js'
import { SECRET } from '../support/harness.js'

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
  [new CsrfError(secret, 'no-token'), 403],
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
    if (error instanceof SessionError) t.is(error.status, status)
    t.is(answer.headers['Cache-Control'], 'no-store')
    t.is(answer.headers['Content-Length'], String(Buffer.byteLength(answer.body)))
    t.is(answer.headers['Retry-After'], status === 503 ? '1' : undefined)
    t.false('Set-Cookie' in answer.headers)
    t.false(JSON.stringify(answer).includes(secret))
  })
}

type Route = (req: SessionRequest, res: ServerResponse) => Promise<unknown>

/** What frameworks do with an error of a route: they answer with the `status` that it has. */
const framework = (route: Route) => (req: IncomingMessage, res: ServerResponse): void => {
  const next = (error: { status?: number }): unknown => res.writeHead(error.status ?? 500).end('the framework\'s own page')
  void route(req as SessionRequest, res).catch(next)
}

const routes: [path: string, route: Route, status: number][] = [
  ['a store that is down', async (req) => (await req.session.set('user', 'ann')).save(), 503],
  ['a session that is gone', async (req) => {
    await req.session.destroy()
    await req.session.save()
  }, 409],
  ['a value that cannot be stored', async (req) => (await req.session.set('born', new Date())).save(), 500],
]

for (const [name, route, status] of routes) {
  test(`${name}: a framework that takes the error answers with its status, ${status}, too`, async (t) => {
    const store = new FaultyStore()
    store.next('create', new StoreUnavailableError('down', details))
    const app = withSession(framework(route), { secret: SECRET, secure: false, type: store.manager })
    t.teardown(() => app.manager.close())
    const response = await fetch((await listen(t, app)).url)
    t.deepEqual([response.status, await response.text()], [status, 'the framework\'s own page'])
  })
}
