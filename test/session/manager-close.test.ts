import test from 'ava'
import { harness } from '../support/harness.js'

test('a store that never lets go does not keep close() waiting for ever', async (t) => {
  const { manager, store } = harness()
  let asked = 0
  store.close = () => {
    asked++
    return new Promise(() => {})
  }
  await manager.close()
  t.is(asked, 1)
})

test('what goes wrong when the store is closed is told', async (t) => {
  const { manager, store } = harness()
  store.close = () => Promise.reject(new RangeError('stuck'))
  await t.throwsAsync(manager.close(), { instanceOf: RangeError })
})
