import assert from 'node:assert/strict'
import type { NamespaceManager } from '../../../src/namespace-manager.js'
import type { CaseDefinition, Need } from '../case-definition.js'
import { present, type Stage } from '../stage.js'

const DAY = 86_400_000

type Write = (manager: NamespaceManager, key: string, expiresAt: number, stage: Stage) => Promise<unknown>

/** The ways in which a record gets its expiry. */
const writes: Readonly<Record<string, Write>> = {
  create: (manager, key, expiresAt) => manager.create(key, 'value', expiresAt),
  replace: async (manager, key, expiresAt, stage) => {
    const version = present(await manager.create(key, 'before', stage.later()))
    return manager.replace(key, 'value', version, expiresAt)
  },
  touch: async (manager, key, expiresAt, stage) => {
    present(await manager.create(key, 'value', stage.later()))
    return manager.touch(key, expiresAt)
  },
}

/** A record that was written to expire in `lifeMs`, and is looked at `afterMs` later. */
const readAfter = async (stage: Stage, write: Write, lifeMs: number, afterMs: number): Promise<string | undefined> => {
  const key = stage.key()
  const manager = await stage.open()
  assert.ok(await write(manager, key, stage.now() + lifeMs, stage))
  await stage.advance(afterMs)
  return stage.readValue(key)
}

const expectAfter = async (stage: Stage, write: Write, afterMs: number, value: string | undefined): Promise<void> =>
  assert.equal(await readAfter(stage, write, 5_000, afterMs), value)

/** A case for each of the ways, named by its word. */
const eachWrite = (
  needs: readonly Need[], name: (word: string) => string, check: (stage: Stage, write: Write) => Promise<void>,
): CaseDefinition[] =>
  Object.entries(writes).map(([word, write]) => ({ name: name(word), needs, check: (stage) => check(stage, write) }))

/** memcached reads a life of more than 30 days as a date; timers end at 24.8 days; cookies at 400. */
const lives: Readonly<Record<string, number>> = {
  '1 day': DAY,
  '29 days': 29 * DAY,
  '30 days': 30 * DAY,
  '30 days and a second': 30 * DAY + 1_000,
  '31 days': 31 * DAY,
  '400 days': 400 * DAY,
}

export const expiryCases: readonly CaseDefinition[] = [
  ...eachWrite([], (word) => `expiry: a record is missing after the time that ${word} gave it`, async (stage, write) => {
    assert.equal(await readAfter(stage, write, stage.life, stage.life + stage.tolerance), undefined)
  }),
  ...eachWrite([], (word) => `expiry: in the past, ${word} answers as ever, and the record is missing`, async (stage, write) => {
    const key = stage.key()
    const manager = await stage.open()
    assert.ok(await write(manager, key, stage.now() - 1_000, stage))
    assert.equal(await manager.get(key), undefined)
    assert.ok(await manager.create(key, 'next', stage.later()), 'and is not in the way of another')
    assert.equal(await stage.readValue(key), 'next')
  }),
  ...Object.entries(lives).flatMap(([away, life]) =>
    eachWrite([], (word) => `expiry: ${away} away by ${word}, the record is there a second later`, async (stage, write) => {
      assert.equal(await readAfter(stage, write, life, 1_000), 'value')
    }),
  ),
  ...eachWrite(['exactClock'], (word) => `expiry: 1 ms before the time that ${word} gave it a record is live`, (stage, write) =>
    expectAfter(stage, write, 4_999, 'value')),
  ...eachWrite(['exactClock'], (word) => `expiry: at the time that ${word} gave it a record is missing`, (stage, write) =>
    expectAfter(stage, write, 5_000, undefined)),
  ...eachWrite(['exactClock'], (word) => `expiry: 1 ms after the time that ${word} gave it a record is missing`, (stage, write) =>
    expectAfter(stage, write, 5_001, undefined)),
  ...eachWrite(['exactClock'], (word) => `expiry: 400 days away by ${word}, the record lives to its last millisecond`, async (stage, write) => {
    assert.equal(await readAfter(stage, write, 400 * DAY, 400 * DAY - 1), 'value')
    await stage.advance(1)
    assert.equal(await stage.read(stage.key()), undefined)
  }),
]
