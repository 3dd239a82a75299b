import test from 'ava'
import { makeCodec } from '../../src/record/codec.js'
import { harness } from '../support/harness.js'

test('nothing is kept without save()', async (t) => {
  const { visit } = harness()
  await visit(async (object) => (await object.load()).set('user', 'ann').save())
  await visit(async (object) => void (await object.load()).set('user', 'bob'))
  t.is(await visit((object) => object.get('user')), 'ann')
})

test('a new session that is not saved makes no record and sets no cookie', async (t) => {
  const { visit, browser } = harness()
  await visit(async (object) => (await object.load()).get('user'))
  t.is(browser.cookies.size, 0)
})

test('saving a new and empty session creates it', async (t) => {
  const { visit } = harness()
  const id = await visit(async (object) => {
    const session = await object.load()
    t.true(session.isNew)
    await session.save()
    t.true(session.isNew)
    return session.id
  })
  await visit(async (object) => {
    const session = await object.load()
    t.false(session.isNew)
    t.is(session.id, id)
    t.is(session.size, 0)
  })
})

test('a change in depth is noticed by save()', async (t) => {
  const { visit } = harness()
  await visit(async (object) => (await object.load()).set('cart', { items: ['a'] }).save())
  await visit(async (object) => {
    const session = await object.load()
    t.false(session.dirty)
    session.get('cart').items.push('b')
    t.true(session.dirty)
    await session.save()
    t.false(session.dirty)
    session.get('cart').items.push('c')
    await session.save()
  })
  t.deepEqual(await visit((object) => object.get('cart')), { items: ['a', 'b', 'c'] })
})

test('the data object may be used with properties: set, change in depth, delete', async (t) => {
  const { visit } = harness()
  await visit(async (object) => (await object.load()).assign({ a: 1, b: [1], c: 3 }).save())
  await visit(async (object) => {
    const session = await object.load()
    session.data.b.push(2)
    delete session.data.c
    session.data.d = 4
    await session.save()
  })
  t.deepEqual(await visit(async (object) => (await object.load()).toJSON()), { a: 1, b: [1, 2], d: 4 })
})

test('a save is a snapshot at the call: what changes later is not in it', async (t) => {
  const { visit, browser } = harness()
  await visit(async (object) => (await object.load()).save())
  await visit(async (object) => {
    const session = await object.load()
    const list = [1]
    const saving = session.set('list', list).save()
    list.push(2)
    session.set('late', true)
    await saving
    t.true(session.dirty)
  }, browser)
  t.deepEqual(await visit(async (object) => (await object.load()).toJSON()), { list: [1] })
})

test('saves that are not awaited take effect in the order made', async (t) => {
  const { visit } = harness()
  await visit(async (object) => {
    for (let n = 0; n < 20; n++) void object.set('n', n).then((session) => session.save())
    void object.set('n', 20)
    void object.save()
  })
  t.is(await visit((object) => object.get('n')), 20)
})

test('100 parallel requests that each set their own key leave 100 keys', async (t) => {
  const { visit } = harness()
  await visit(async (object) => (await object.load()).save())
  await Promise.all(Array.from({ length: 100 }, (_, n) => visit(async (object) => {
    const session = await object.load()
    await new Promise(setImmediate)
    await session.set(`k${n}`, n).save()
  })))
  const data = await visit(async (object) => (await object.load()).toJSON())
  t.deepEqual(data, Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`k${n}`, n])))
})

test('100 parallel updates of one key count 100', async (t) => {
  const { visit } = harness()
  await visit(async (object) => (await object.load()).save())
  const seen = await Promise.all(Array.from({ length: 100 }, () => visit(async (object) => object.update('n', (n = 0) => n + 1))))
  t.is(await visit((object) => object.get('n')), 100)
  t.is(Math.max(...seen), 100)
})

test('the same key set twice: the later save wins, whole', async (t) => {
  const { visit, open, browser } = harness()
  await visit(async (object) => (await object.load()).set('v', { a: 0, b: 0 }).save())
  const first = await open(browser.begin()).load()
  const second = await open(browser.begin()).load()
  first.get('v').a = 1
  second.get('v').b = 2
  await first.save()
  await second.save()
  t.deepEqual(await visit((object) => object.get('v')), { a: 0, b: 2 })
})

test('after save() the session shows the merged record, and objects that did not change stay the same objects', async (t) => {
  const { visit, open, browser } = harness()
  await visit(async (object) => (await object.load()).assign({ mine: { n: 1 }, theirs: 1, gone: 1 }).save())
  const session = await open(browser.begin()).load()
  const mine = session.get('mine')
  await visit(async (object) => {
    const other = await object.load()
    other.set('theirs', 2).set('fresh', 3).delete('gone')
    await other.save()
  })
  await session.set('own', true).save()
  t.deepEqual(session.toJSON(), { mine: { n: 1 }, theirs: 2, fresh: 3, own: true } as any)
  t.is(session.get('mine'), mine)
  mine.n = 2
  await session.save()
  t.deepEqual(await visit((object) => object.get('mine')), { n: 2 })
})

test('an object that the session made stays the same object when it was set again, one of the application is left as it is', async (t) => {
  const { visit, open, browser } = harness()
  await visit(async (object) => (await object.load()).assign({ made: { n: 1 } }).save())
  const session = await open(browser.begin()).load()
  const made = session.get('made')
  const given = { n: 1 }
  await session.assign({ made, given }).save()
  await visit(async (object) => (await object.load()).assign({ made: { n: 2 }, given: { n: 2 } }).save())
  await session.set('own', true).save()
  t.deepEqual(session.toJSON(), { made: { n: 2 }, given: { n: 2 }, own: true } as any)
  t.is(session.get('made'), made)
  t.deepEqual(given, { n: 1 })
})

test('an explicit set counts even when it sets what was there', async (t) => {
  const { visit, open, browser } = harness()
  await visit(async (object) => (await object.load()).set('theme', 'dark').save())
  const session = await open(browser.begin()).load()
  await visit(async (object) => (await object.load()).set('theme', 'light').save())
  await session.set('theme', 'dark').save()
  t.is(await visit((object) => object.get('theme')), 'dark')
})

test('a reading request never reverts a writer', async (t) => {
  const { visit, open, browser } = harness()
  await visit(async (object) => (await object.load()).set('n', 1).save())
  const reader = await open(browser.begin()).load()
  reader.get('n')
  await visit(async (object) => (await object.load()).set('n', 2).save())
  await reader.save()
  await reader.persist()
  t.is(await visit((object) => object.get('n')), 2)
})

test('clear() removes all keys of the newer record, and then what was set after it is there', async (t) => {
  const { visit, open, browser } = harness()
  await visit(async (object) => (await object.load()).set('a', 1).save())
  const session = await open(browser.begin()).load()
  await visit(async (object) => (await object.load()).set('b', 2).save())
  session.set('before', 1).clear().set('after', 1)
  await session.save()
  t.deepEqual(await visit(async (object) => (await object.load()).toJSON()), { after: 1 })
})

test('update(fn) gives a draft of all data and writes only what the function changed', async (t) => {
  const { visit, open, browser } = harness()
  await visit(async (object) => (await object.load()).assign({ a: 1, list: [1] }).save())
  const session = await open(browser.begin()).load()
  await visit(async (object) => (await object.load()).set('b', 2).save())
  session.set('unsaved', true)
  await session.update((draft) => {
    t.true(draft.unsaved)
    draft.list.push(draft.b ?? 0)
    delete draft.a
  })
  t.true(session.dirty)
  t.deepEqual(session.keys().sort(), ['b', 'list', 'unsaved'])
  t.deepEqual(await visit(async (object) => (await object.load()).toJSON()), { b: 2, list: [1, 2] })
})

test('update(key) sees an unsaved change of its key, writes it with its own, and leaves other changes unsaved', async (t) => {
  const { visit } = harness()
  await visit(async (object) => {
    const session = await object.load()
    session.set('cart', ['a']).set('other', 1)
    t.deepEqual(await session.update('cart', (cart) => [...cart, 'b']), ['a', 'b'])
    t.deepEqual(session.get('cart'), ['a', 'b'])
    t.is(session.unsavedKeys, 1)
  })
  t.deepEqual(await visit(async (object) => (await object.load()).toJSON()), { cart: ['a', 'b'] })
})

test('update() whose function answers undefined removes the key', async (t) => {
  const { visit } = harness()
  await visit(async (object) => (await object.load()).assign({ a: 1, b: 2 }).save())
  await visit(async (object) => object.update('a', () => undefined))
  t.deepEqual(await visit(async (object) => (await object.load()).keys()), ['b'])
})

test('what the function of an update throws passes through, and nothing is written', async (t) => {
  const { visit } = harness()
  await visit(async (object) => (await object.load()).set('n', 1).save())
  const own = new RangeError('mine')
  await visit(async (object) => {
    const error = await t.throwsAsync(object.update('n', () => { throw own }))
    t.is(error, own)
    await t.throwsAsync(object.update('n', (async () => 2) as never), { instanceOf: TypeError })
  })
  t.is(await visit((object) => object.get('n')), 1)
})

test('of several updates that wait together, one that throws fails alone', async (t) => {
  const { visit } = harness()
  await visit(async (object) => (await object.load()).set('n', 0).save())
  const results = await Promise.allSettled(Array.from({ length: 10 }, (_, at) => visit(async (object) => object.update('n', (n) => {
    if (at === 5) throw new RangeError('mine')
    return n + 1
  }))))
  t.deepEqual(results.map(({ status }) => status).filter((status) => status === 'rejected').length, 1)
  t.is(await visit((object) => object.get('n')), 9)
})

test('revert() goes back to what was loaded or last saved', async (t) => {
  const { visit } = harness()
  await visit(async (object) => {
    const session = await object.load()
    session.set('a', 1).revert()
    t.is(session.size, 0)
    await session.set('a', 2).save()
    session.set('a', 3).set('b', 1).revert()
    t.deepEqual(session.toJSON(), { a: 2 } as any)
    t.false(session.dirty)
  })
})

test('reload() reads again and drops what is not saved; the data object stays the same object', async (t) => {
  const { visit, open, browser } = harness()
  await visit(async (object) => (await object.load()).set('a', 1).save())
  const session = await open(browser.begin()).load()
  const { data } = session
  await visit(async (object) => (await object.load()).set('a', 2).save())
  session.set('b', 1)
  await session.reload()
  t.deepEqual(data, { a: 2 })
  t.is(session.data, data)
  t.false(session.dirty)
})

test('what could not be stored is unsaved again, and the next save stores it', async (t) => {
  const { visit } = harness()
  await visit(async (object) => (await object.load()).set('a', 1).save())
  await visit(async (object) => {
    const session = await object.load()
    session.set('a', 2).set('bad', () => {})
    await t.throwsAsync(session.save(), { code: 'PHIAL_CODEC' })
    t.true(session.dirty)
    session.delete('bad')
    await session.save()
  })
  t.deepEqual(await visit(async (object) => (await object.load()).toJSON()), { a: 2 })
})

test('a record over max_bytes is refused and the stored one is as it was', async (t) => {
  const { visit } = harness({ manager: { maxBytes: 1000 } })
  await visit(async (object) => (await object.load()).set('a', 1).save())
  await visit(async (object) => {
    const error = await t.throwsAsync((await object.load()).set('big', 'x'.repeat(1000)).save(), { code: 'PHIAL_TOO_LARGE' })
    t.is((error as any).limit, 1000)
  })
  t.deepEqual(await visit(async (object) => (await object.load()).toJSON()), { a: 1 })
})

test('the key __proto__ is refused, other names of Object.prototype are keys like any', async (t) => {
  const { visit } = harness()
  const names = ['constructor', 'toString', 'hasOwnProperty', 'save', 'id', 'then', 'toJSON', 'get']
  await visit(async (object) => {
    const session = await object.load()
    t.throws(() => session.set('__proto__', { polluted: true }), { code: 'PHIAL_CODEC' })
    for (const name of names) {
      t.is(session.get(name), undefined)
      t.false(session.has(name))
      session.set(name, name)
    }
    await session.save()
  })
  await visit(async (object) => {
    const session = await object.load()
    for (const name of names) t.is(session.get(name), name)
  })
  t.is(({} as any).polluted, undefined)
})

test('of several saves that wait together, one that makes the record too large fails alone', async (t) => {
  const { visit } = harness({ manager: { maxBytes: 2000 } })
  await visit(async (object) => (await object.load()).set('n', 0).save())
  const results = await Promise.allSettled(Array.from({ length: 10 }, (_, at) => visit(async (object) =>
    object.update((draft) => {
      draft[`k${at}`] = at === 5 ? 'x'.repeat(2000) : at
    }))))
  t.deepEqual(results.flatMap(({ status }, at) => (status === 'rejected' ? [at] : [])), [5])
  t.is((results[5] as PromiseRejectedResult).reason.code, 'PHIAL_TOO_LARGE')
  t.is(await visit(async (object) => (await object.load()).size), 10)
})

test('what was deleted by a call and put back by hand is there, also when others wrote meanwhile', async (t) => {
  const { visit, open, browser } = harness()
  await visit(async (object) => (await object.load()).assign({ a: { n: 1 }, b: 1 }).save())
  const session = await open(browser.begin()).load()
  const { data } = session
  const popped = session.pop('a')
  session.delete('b')
  data['a'] = popped
  data['b'] = 2
  await visit(async (object) => (await object.load()).set('theirs', 1).save())
  await session.save()
  t.deepEqual(session.toJSON(), { a: { n: 1 }, b: 2, theirs: 1 } as any)
  t.deepEqual(await visit(async (object) => (await object.load()).toJSON()), { a: { n: 1 }, b: 2, theirs: 1 } as any)
})

const closing: readonly [string, (object: any) => void][] = [
  ['sealed', (object) => Object.seal(object)],
  ['closed to new properties', (object) => Object.preventExtensions(object)],
  ['partly read-only', (object) => Object.defineProperty(object, 'n', { value: 1, enumerable: true, configurable: false, writable: false })],
]

for (const [what, close] of closing) {
  test(`an object that is ${what} is left alone, and what others made of it is kept`, async (t) => {
    const { visit, open, browser } = harness()
    await visit(async (object) => (await object.load()).assign({ o: { n: 1 } }).save())
    const session = await open(browser.begin()).load()
    close(session.get('o'))
    await visit(async (object) => (await object.load()).set('o', { n: 2 }).save())
    await session.set('x', 1).save()
    await session.set('y', 2).save()
    t.deepEqual(session.toJSON(), { o: { n: 2 }, x: 1, y: 2 } as any)
    t.deepEqual(await visit(async (object) => (await object.load()).toJSON()), { o: { n: 2 }, x: 1, y: 2 } as any)
  })
}

test('a list of very many values that others changed stays the same list', async (t) => {
  const { visit, open, browser } = harness({ manager: { maxBytes: 1024 * 1024 } })
  const many = Array.from({ length: 200_000 }, () => 1)
  await visit(async (object) => (await object.load()).set('many', many).save())
  const session = await open(browser.begin()).load()
  const held = session.get('many')
  await visit(async (object) => (await object.load()).set('many', [...many, 2]).save())
  await session.set('x', 1).save()
  t.is(session.get('many'), held)
  t.is(held.length, 200_001)
})

test('a key that others gave the value undefined is shown, and stays', async (t) => {
  const { visit, open, browser } = harness({ manager: { codec: makeCodec('devalue') } })
  await visit(async (object) => (await object.load()).set('a', 1).save())
  const session = await open(browser.begin()).load()
  const { data } = session
  await visit(async (object) => (await object.load()).set('theirs', undefined).save())
  await session.set('x', 1).save()
  t.deepEqual(data, { a: 1, theirs: undefined, x: 1 } as any)
  await session.set('y', 1).save()
  t.deepEqual(await visit(async (object) => (await object.load()).keys().sort()), ['a', 'theirs', 'x', 'y'])
})

test('times are whole milliseconds, whatever the clock says', async (t) => {
  const { visit } = harness({ time: { now: () => Date.UTC(2030, 0, 1) + 0.25 } })
  await visit(async (object) => (await object.load()).set('a', 1).save())
  t.deepEqual(await visit(async (object) => [await object.get('a'), (await object.load()).createdAt]), [1, Date.UTC(2030, 0, 1)])
})

test('an owner of ill-formed Unicode is refused when it is given', async (t) => {
  const { visit } = harness()
  await visit(async (object) => {
    const session = await object.load()
    t.throws(() => { session.owner = '\ud800' }, { instanceOf: TypeError })
  })
})
