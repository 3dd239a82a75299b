import test from 'ava'
import { createManager } from '../../src/index.js'
import { sessionOf } from '../../src/session/session-of.js'
import { SECRET } from '../support/harness.js'

const managerOf = (requestKey: string) => createManager({ type: 'memory', secret: SECRET, secure: false, requestKey })

test('a request\'s session is the one under `session`, else the first that there is, else a ConfigError', (t) => {
  const req = { headers: {}, session: { of: 'somebody else' }, other: null }
  t.throws(() => sessionOf(req), { code: 'PHIAL_CONFIG', message: /withSession/ })
  const admin = managerOf('admin').open(req, {})
  managerOf('cart').open(req, {})
  t.is(sessionOf(req), admin)
  Reflect.deleteProperty(req, 'session')
  const session = managerOf('session').open(req, {})
  t.is(sessionOf(req), session)
})
