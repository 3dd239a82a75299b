import test from 'ava'
import { setTimeout as sleep } from 'node:timers/promises'
import { FileProcess } from '../support/file-process.js'
import { contentsOf, inAnHour, isFreeAtOnce, keyOf, newStore, recordPath } from '../support/file-store.js'

/** How often a saving process is killed: 200 in a long run. */
const kills = Number(process.env['PHIAL_KILLS'] ?? 40)

for (const sync of [true, false]) {
  const how = sync ? '' : ' without sync'
  test(`F02: killed ${kills / 2} times while saving${how}, a process leaves one whole record, and no lasting lock`, async t => {
    const { store, data } = newStore(t)
    const key = keyOf('saved')
    await store.create(key, '0 ', inAnHour())
    for (let round = 0; round < kills / 2; round++) {
      const child = new FileProcess(t, data, { sync })
      await child.ready
      child.call('saveForEver', key, round % 2 === 0 ? 10 : 20_000).catch(() => {})
      while (child.acknowledged === 0) await sleep(1)
      await sleep(Math.random() * 20)
      await child.kill()
      const record = await store.get(key)
      const saved = Number(record?.value.split(' ')[0])
      t.true(saved === child.acknowledged || saved === child.acknowledged + 1, `${saved} after ${child.acknowledged}`)
      t.true(await isFreeAtOnce(recordPath(data, key)))
      t.not(await store.replace(key, record?.value ?? '', record?.version ?? '', inAnHour()), undefined)
    }
    await store.purgeExpired()
    t.deepEqual(contentsOf(data).filter(path => !/\/[0-9a-f]{2}(\/[0-9a-f]{64})?$/.test(path)), [])
    t.is(contentsOf(data).filter(path => path.includes(key)).length, 1)
  })
}
