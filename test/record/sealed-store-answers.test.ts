import test from 'ava'
import { FaultyStore } from '../support/faulty-store.js'
import { harness } from '../support/harness.js'

for (const answer of [null, 5, {}]) {
  const shown = JSON.stringify(answer)
  for (const method of ['create', 'replace', 'get'] as const) {
    test(`a store that answers ${method} with ${shown} has failed: nothing counts as written or read`, async (t) => {
      const store = new FaultyStore()
      const { manager } = harness({ store: store.manager, time: { now: Date.now } })
      const session = await manager.create()
      if (method !== 'create') await session.set('a', 1).save()
      store.next(method, () => answer)
      await t.throwsAsync(() => method === 'get' ? manager.getById(session.id) : session.set('b', 1).save(), { code: 'PHIAL_STORE' })
    })
  }
}
