import test from 'ava'
import { harness } from '../support/harness.js'

test('a flash is kept by save(), read once, and gone without another save()', async (t) => {
  const { visit } = harness()
  await visit(async (object) => (await object.load()).flash('Saved.', { level: 'success' }).flash('Really.').save())
  t.deepEqual(await visit((object) => object.flashes()), [{ value: 'Saved.', level: 'success' }, { value: 'Really.', level: null }])
  t.deepEqual(await visit((object) => object.flashes()), [])
})

test('a flash that is not saved is dropped', async (t) => {
  const { visit } = harness()
  await visit(async (object) => object.save())
  await visit(async (object) => void (await object.load()).flash('lost'))
  t.deepEqual(await visit((object) => object.flashes()), [])
})

test('a flash read on a page whose response failed is still there on the next', async (t) => {
  const { visit, browser } = harness()
  await visit(async (object) => (await object.load()).flash('important').save())
  t.is((await visit((object) => object.flashes(), browser, 500)).length, 1)
  t.is((await visit((object) => object.flashes())).length, 1)
  t.is((await visit((object) => object.flashes())).length, 0)
})

test('reading a flash writes its removal alone: other changes stay unsaved', async (t) => {
  const { visit } = harness()
  await visit(async (object) => (await object.load()).set('a', 1).flash('x').save())
  await visit(async (object) => {
    const session = await object.load()
    session.flashes()
    session.set('a', 2)
  })
  await visit(async (object) => {
    const session = await object.load()
    t.is(session.get('a'), 1)
    t.deepEqual(session.flashes(), [])
  })
})

test('flashes have lists of their own by key, and are not among the keys', async (t) => {
  const { visit } = harness()
  await visit(async (object) => (await object.load()).flash(1, { key: 'one' }).flash({ two: [2] }, { key: 'two' }).save())
  await visit(async (object) => {
    const session = await object.load()
    t.deepEqual(session.keys(), [])
    t.deepEqual(session.peekFlashes('two'), [{ value: { two: [2] }, level: null }])
    t.deepEqual(session.flashes('two'), [{ value: { two: [2] }, level: null }])
    t.deepEqual(session.flashes('two'), [])
    t.deepEqual(session.flashes('toString'), [])
  })
  t.deepEqual(await visit((object) => object.flashes('one')), [{ value: 1, level: null }])
})

test('keepFlashes() leaves what was read for the next request', async (t) => {
  const { visit } = harness()
  await visit(async (object) => (await object.load()).flash('x').save())
  await visit(async (object) => {
    const session = await object.load()
    t.is(session.flashes().length, 1)
    session.keepFlashes()
  })
  t.is((await visit((object) => object.flashes())).length, 1)
})

test('a flash added by one request while another reads is not lost', async (t) => {
  const { visit, browser } = harness()
  await visit(async (object) => (await object.load()).flash('first').save())
  await visit(async (object) => {
    t.is((await object.flashes()).length, 1)
    await visit(async (other) => (await other.load()).flash('second').save(), browser)
  })
  t.deepEqual(await visit((object) => object.flashes()), [{ value: 'second', level: null }])
})

test('a flash keeps the value as it was at the call', async (t) => {
  const { visit } = harness()
  await visit(async (object) => {
    const session = await object.load()
    const value = { n: 1 }
    session.flash(value)
    value.n = 2
    t.throws(() => session.flash(() => {}), { code: 'PHIAL_CODEC' })
    await session.save()
  })
  t.deepEqual(await visit((object) => object.flashes()), [{ value: { n: 1 }, level: null }])
})

test('what is handed out of a flash is a copy: changed in depth, it changes nothing that is stored', async (t) => {
  const { visit } = harness()
  const stored = { list: [1], deep: { n: 1 } }
  await visit(async (object) => (await object.load()).flash(stored).save())
  for (const read of ['peekFlashes', 'flashes'] as const) {
    await visit(async (object) => {
      const session = await object.load()
      const [flash] = session[read]()
      t.deepEqual(flash, { value: stored, level: null })
      Object.assign(flash!.value, { list: 'changed' })
      flash!.value.deep.n = 2
      t.false(session.dirty)
      session.keepFlashes()
      await session.set('a', read).save()
      t.deepEqual(session.peekFlashes(), [{ value: stored, level: null }])
    })
  }
  t.deepEqual(await visit((object) => object.flashes()), [{ value: stored, level: null }])
})
