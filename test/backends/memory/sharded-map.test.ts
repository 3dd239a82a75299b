import { createHash } from 'node:crypto'
import test from 'ava'
import fc from 'fast-check'
import { ShardedMap } from '../../../backends/memory/sharded-map.js'

const keys = Array.from({ length: 20 }, (_, index) => createHash('sha256').update(`${index}`).digest('hex'))

const contents = (map: Iterable<[string, number]>): string =>
  JSON.stringify([...map].toSorted(([one], [other]) => (one < other ? -1 : 1)))

test('holds what a Map holds, whatever is done to it', (t) => {
  const operation = fc.constantFrom('set', 'set', 'set', 'delete', 'delete', 'clear')
  const steps = fc.array(fc.tuple(operation, fc.constantFrom(...keys), fc.nat(9)), { maxLength: 60, size: 'max' })
  const holdsTheSame = fc.property(steps, (all) => {
    const [map, model] = [new ShardedMap<number>(), new Map<string, number>()]
    for (const [what, key, value] of all) {
      if (what === 'set') map.set(key, value)
      else if (what === 'clear') map.clear()
      else if (map.delete(key) !== model.has(key)) return false
      if (what === 'set') model.set(key, value)
      else if (what === 'clear') model.clear()
      else model.delete(key)
    }
    const isSameOneByOne = keys.every((key) => map.get(key) === model.get(key))
    return isSameOneByOne && map.size === model.size && contents(map) === contents(model)
  })
  t.notThrows(() => fc.assert(holdsTheSame, { numRuns: Number(process.env['PHIAL_TEST_RUNS'] ?? 500) }))
})

test('entries may be added and deleted while it is read: those that stay are all seen', (t) => {
  const map = new ShardedMap<number>()
  const [added = '', ...rest] = keys
  for (const key of rest) map.set(key, 1)
  const seen: string[] = []
  for (const [key] of map) {
    seen.push(key)
    if (seen.length === 3) {
      map.set(added, 1)
      map.delete(key)
    }
  }
  t.deepEqual(seen.filter((key) => key !== added).toSorted(), rest.toSorted())
  t.is(map.size, keys.length - 1)
})
