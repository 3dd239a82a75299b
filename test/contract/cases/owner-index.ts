import assert from 'node:assert/strict'
import type { Enumerable, NamespaceManager, OwnerIndex, Purgeable } from '../../../src/namespace-manager.js'
import { type CaseDefinition, casesFor } from '../case-definition.js'
import { present, range, type Stage } from '../stage.js'

const owned = async (stage: Stage, owner: string, namespace?: string): Promise<string[]> =>
  (await (await stage.open<OwnerIndex>(namespace)).listOwned(stage.key(owner))).toSorted()

const sorted = (stage: Stage, ...labels: string[]): string[] => labels.map((label) => stage.key(label)).toSorted()

export const ownerIndexCases: readonly CaseDefinition[] = [
  ...casesFor(['ownerIndex'], {
    'listOwned: none for an owner that has none': async (stage) => {
      assert.deepEqual(await owned(stage, 'nobody'), [])
    },
    'addOwned: the entry is in when it resolves, for every manager': async (stage) => {
      const [one, other] = [await stage.open<OwnerIndex>(), await stage.open<OwnerIndex>()]
      await one.addOwned(stage.key('owner'), stage.key('one'), stage.later())
      assert.deepEqual(await other.listOwned(stage.key('owner')), [stage.key('one')])
      await other.addOwned(stage.key('owner'), stage.key('two'), stage.later())
      assert.deepEqual((await one.listOwned(stage.key('owner'))).toSorted(), sorted(stage, 'one', 'two'))
    },
    'addOwned: twice is once': async (stage) => {
      const manager = await stage.open<OwnerIndex>()
      for (const _ of range(2)) await manager.addOwned(stage.key('owner'), stage.key('one'), stage.later())
      assert.deepEqual(await owned(stage, 'owner'), [stage.key('one')])
      await manager.removeOwned(stage.key('owner'), stage.key('one'))
      assert.deepEqual(await owned(stage, 'owner'), [])
    },
    'addOwned: the entry lasts at least until the time given': async (stage) => {
      const manager = await stage.open<OwnerIndex>()
      await manager.addOwned(stage.key('owner'), stage.key('one'), stage.later())
      await stage.outlive()
      assert.deepEqual(await owned(stage, 'owner'), [stage.key('one')])
    },
    'addOwned: again with a later time the entry lasts until then': async (stage) => {
      const manager = await stage.open<OwnerIndex>()
      await manager.addOwned(stage.key('owner'), stage.key('one'), stage.soon())
      await manager.addOwned(stage.key('owner'), stage.key('one'), stage.later())
      await stage.outlive()
      assert.ok((await owned(stage, 'owner')).includes(stage.key('one')))
    },
    'addOwned: again with an earlier time the entry lasts as long as was said before': async (stage) => {
      const manager = await stage.open<OwnerIndex>()
      await manager.addOwned(stage.key('owner'), stage.key('one'), stage.later())
      await manager.addOwned(stage.key('owner'), stage.key('one'), stage.soon())
      await stage.outlive()
      assert.ok((await owned(stage, 'owner')).includes(stage.key('one')))
    },
    'addOwned: an entry that ends takes none of the others with it': async (stage) => {
      const manager = await stage.open<OwnerIndex>()
      await manager.addOwned(stage.key('owner'), stage.key('lasting'), stage.later())
      await manager.addOwned(stage.key('owner'), stage.key('brief'), stage.soon())
      await stage.outlive()
      await manager.addOwned(stage.key('owner'), stage.key('third'), stage.later())
      const keys = await owned(stage, 'owner')
      for (const label of ['lasting', 'third']) assert.ok(keys.includes(stage.key(label)), label)
    },
    'listOwned: a superset of the owner\'s keys: an entry is there before its record and after it': async (stage) => {
      const manager = await stage.open<OwnerIndex>()
      await manager.addOwned(stage.key('owner'), stage.key('one'), stage.later())
      assert.deepEqual(await owned(stage, 'owner'), [stage.key('one')])
      assert.equal(await stage.read(stage.key('one')), undefined, 'an entry is no record')
      present(await manager.create(stage.key('one'), 'value', stage.later()))
      assert.deepEqual(await owned(stage, 'owner'), [stage.key('one')])
      await manager.delete(stage.key('one'))
      assert.deepEqual(await owned(stage, 'owner'), [stage.key('one')])
    },
    'removeOwned: takes out this entry of this owner, and leaves the record': async (stage) => {
      const manager = await stage.open<OwnerIndex>()
      for (const label of ['one', 'two']) {
        present(await manager.create(stage.key(label), label, stage.later()))
        await manager.addOwned(stage.key('owner'), stage.key(label), stage.later())
      }
      await manager.removeOwned(stage.key('owner'), stage.key('one'))
      assert.deepEqual(await owned(stage, 'owner'), [stage.key('two')])
      assert.equal(await stage.readValue(stage.key('one')), 'one')
    },
    'removeOwned: what is not there is not an error': async (stage) => {
      const manager = await stage.open<OwnerIndex>()
      await manager.removeOwned(stage.key('nobody'), stage.key('one'))
      await manager.addOwned(stage.key('owner'), stage.key('one'), stage.later())
      for (const label of ['two', 'one', 'one']) await manager.removeOwned(stage.key('owner'), stage.key(label))
      assert.deepEqual(await owned(stage, 'owner'), [])
    },
    'owners: each has its own keys, a key that changed hands included': async (stage) => {
      const manager = await stage.open<OwnerIndex>()
      await manager.addOwned(stage.key('ann'), stage.key('one'), stage.later())
      await manager.addOwned(stage.key('bob'), stage.key('two'), stage.later())
      assert.deepEqual(await owned(stage, 'ann'), [stage.key('one')])
      await manager.addOwned(stage.key('bob'), stage.key('one'), stage.later())
      await manager.removeOwned(stage.key('ann'), stage.key('one'))
      assert.deepEqual(await owned(stage, 'ann'), [])
      assert.deepEqual(await owned(stage, 'bob'), sorted(stage, 'one', 'two'))
    },
    'owners: namespaces share none': async (stage) => {
      const [shop, forum] = [await stage.open<OwnerIndex>('shop'), await stage.open<OwnerIndex>('shop2')]
      await shop.addOwned(stage.key('owner'), stage.key('one'), stage.later())
      assert.deepEqual(await owned(stage, 'owner', 'shop2'), [])
      await forum.addOwned(stage.key('owner'), stage.key('one'), stage.later())
      await forum.removeOwned(stage.key('owner'), stage.key('one'))
      assert.deepEqual(await owned(stage, 'owner', 'shop'), [stage.key('one')])
    },
    'owners: of entries added at the same time none is lost': async (stage) => {
      const managers = [await stage.open<OwnerIndex>(), await stage.open<OwnerIndex>()]
      const labels = range(40).map((index) => `${index}`)
      await Promise.all(labels.map((label, index) =>
        present(managers[index % 2]).addOwned(stage.key('owner'), stage.key(label), stage.later())))
      assert.deepEqual(await owned(stage, 'owner'), sorted(stage, ...labels))
    },
    'owners: entries added while others are removed stay': async (stage) => {
      const managers = [await stage.open<OwnerIndex>(), await stage.open<OwnerIndex>()]
      const former = range(20).map((index) => `former ${index}`)
      for (const label of former) await present(managers[0]).addOwned(stage.key('owner'), stage.key(label), stage.later())
      await Promise.all(former.flatMap((label, index) => [
        present(managers[index % 2]).removeOwned(stage.key('owner'), stage.key(label)),
        present(managers[(index + 1) % 2]).addOwned(stage.key('owner'), stage.key(`new ${index}`), stage.later()),
      ]))
      assert.deepEqual(await owned(stage, 'owner'), sorted(stage, ...range(20).map((index) => `new ${index}`)))
    },
  }),
  ...casesFor(['ownerIndex', 'purgeable'], {
    'purgeExpired: leaves the owners\' entries whose time has not come': async (stage) => {
      const manager = await stage.open<OwnerIndex & Purgeable>()
      await manager.addOwned(stage.key('owner'), stage.key('one'), stage.later())
      await manager.addOwned(stage.key('owner'), stage.key('one'), stage.soon())
      await manager.addOwned(stage.key('owner'), stage.key('two'), stage.soon())
      await manager.addOwned(stage.key('owner'), stage.key('two'), stage.later())
      await stage.outlive()
      assert.equal(await manager.purgeExpired(), 0, 'entries are no records')
      assert.deepEqual(await owned(stage, 'owner'), sorted(stage, 'one', 'two'))
    },
  }),
  ...casesFor(['ownerIndex', 'enumerable'], {
    'keys: the index of the owners is not among them': async (stage) => {
      const manager = await stage.open<OwnerIndex & Enumerable & NamespaceManager>()
      await manager.addOwned(stage.key('owner'), stage.key('one'), stage.later())
      present(await manager.create(stage.key('two'), 'value', stage.later()))
      const keys: string[] = []
      for await (const key of manager.keys()) keys.push(key)
      assert.deepEqual(keys, [stage.key('two')])
    },
  }),
]
