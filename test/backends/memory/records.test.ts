import { createHash } from 'node:crypto'
import test from 'ava'
import fc from 'fast-check'
import { Records } from '../../../backends/memory/records.js'

const keys = Array.from({ length: 12 }, (_, index) => createHash('sha256').update(`${index}`).digest('hex'))

interface Model {
  readonly key: string
  readonly value: string
  readonly version: number
  expiresAt: number
}

/** The least recently used first. */
const orderOf = (records: Records): string[] => {
  const order: string[] = []
  for (let slot = records.victim(-Infinity); slot !== undefined; slot = records.victim(-Infinity)) {
    order.push(records.key(slot))
    records.remove(slot)
  }
  return order
}

test('keeps what it was given, in the order of use, whatever is done to it', (t) => {
  const steps = fc.array(fc.tuple(fc.constantFrom('add', 'add', 'rewrite', 'use', 'touch', 'remove'), fc.constantFrom(...keys), fc.nat(99)), { maxLength: 80, size: 'max' })
  const holdsTheSame = fc.property(steps, (all) => {
    const records = new Records()
    let model: Model[] = []
    for (const [what, key, number] of all) {
      const slot = records.find(key)
      const known = model.find((one) => one.key === key)
      if ((slot === undefined) !== (known === undefined)) return false
      const written = { value: `value ${number}`, version: number, expiresAt: number + 0.5, bytes: number }
      if (slot === undefined) {
        if (what !== 'add') continue
        records.add(key, written)
        model.push({ key, ...written })
      } else if (what === 'touch') {
        records.setExpiresAt(slot, number)
        known!.expiresAt = number
      } else {
        model = model.filter((one) => one !== known)
        if (what === 'remove') records.remove(slot)
        else if (what === 'use') records.use(slot)
        else records.rewrite(slot, written)
        if (what === 'use') model.push(known!)
        else if (what !== 'remove') model.push({ key, ...written })
      }
    }
    const isSame = model.every(({ key, value, version, expiresAt }) => {
      const slot = records.find(key)!
      return records.key(slot) === key && records.value(slot) === value && records.version(slot) === version && records.expiresAt(slot) === expiresAt
    })
    return isSame && records.size === model.length && orderOf(records).join() === model.map(({ key }) => key).join() && records.size === 0 && records.bytes === 0
  })
  t.notThrows(() => fc.assert(holdsTheSame, { numRuns: Number(process.env['PHIAL_TEST_RUNS'] ?? 500) }))
})

test('a place is given again, and more than a thousand records have one each', (t) => {
  const records = new Records()
  const key = (index: number): string => createHash('sha256').update(`${index}`).digest('hex')
  const add = (index: number): void => records.add(key(index), { value: `${index}`, version: index, expiresAt: index, bytes: 1 })
  for (let index = 0; index < 5_000; index++) add(index)
  for (let index = 0; index < 5_000; index += 2) records.remove(records.find(key(index))!)
  for (let index = 5_000; index < 7_500; index++) add(index)
  const slots = [...records]
  t.is(new Set(slots).size, 5_000)
  t.is(Math.max(...slots), 5_000)
  t.true(slots.every((slot) => records.key(slot) === key(records.version(slot)) && records.value(slot) === `${records.version(slot)}`))
  t.is(records.bytes, 5_000)
})
