import test from 'ava'
import { sessions } from '../../src/index.js'
import { StoreUnavailableError } from '../../src/errors.js'
import { serve } from '../support/app.js'

test('a cookie is set at any time before the headers leave, once for each name, beside the application\'s own', async (t) => {
  const { client } = await serve(t, async (req, res) => {
    const { cookies } = sessions(req)
    res.setHeader('Set-Cookie', 'own=1; Path=/')
    res.setHeader('X-Own', 'yes')
    cookies.set('lang', 'de')
    cookies.set('lang', 'en', { maxAge: 60, path: '/en', httpOnly: false })
    cookies.set('gone', 'x')
    cookies.unset('gone')
    cookies.delete('old', { path: '/old' })
    t.is(cookies.get('lang'), 'en')
    await req.session.set('a', 1)
    await req.session.save()
    cookies.set('last', '1')
    res.end()
  })
  const response = await client().get('/')
  t.is(response.headers.get('x-own'), 'yes')
  const lines = response.headers.getSetCookie()
  t.deepEqual(lines.map((line) => line.split('=')[0]).sort(), ['lang', 'last', 'old', 'own', 'phial'])
  t.regex(lines.find((line) => line.startsWith('lang='))!, /^lang=en; Max-Age=60; Path=\/en; Expires=[^;]+; SameSite=Lax$/)
  t.regex(lines.find((line) => line.startsWith('old='))!, /^old=; Max-Age=0; Path=\/old;/)
})

test('an attribute that is undefined is one that is not said', async (t) => {
  const unsaid = { httpOnly: undefined, path: undefined, sameSite: undefined, secure: undefined, domain: undefined, partitioned: undefined, priority: undefined, maxAge: undefined, format: undefined } as object
  const { client } = await serve(t, (req, res) => {
    const { cookies } = sessions(req)
    cookies.set('a', '1', unsaid)
    cookies.delete('b', unsaid)
    res.end()
  })
  const lines = (await client().get('/')).headers.getSetCookie()
  t.is(lines[0], 'a=1; Path=/; HttpOnly; SameSite=Lax')
  t.regex(lines[1]!, /^b=; Max-Age=0; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/)
})

test('without the session a cookie costs no reading of it', async (t) => {
  const { client } = await serve(t, (req, res) => {
    sessions(req).cookies.set('lang', 'de')
    t.false(req.session.accessed)
    res.end()
  })
  t.is((await client().get('/')).headers.getSetCookie().length, 1)
})

test('plain, JSON and signed values come back as they were', async (t) => {
  const value = { list: [1, 'zwölf', null], deep: { 'semi;colon': '"\\' } }
  const { client } = await serve(t, (req, res) => {
    const { cookies } = sessions(req)
    if (req.url === '/set') {
      cookies.set('plain', 'abc')
      cookies.set('json', value, { format: 'json' })
      cookies.set('signed', value, { format: 'signed' })
    }
    res.end(JSON.stringify([cookies.get('plain'), cookies.get('json', { format: 'json' }), cookies.get('signed', { format: 'signed' }), cookies.get('none')]))
  })
  const browser = client()
  const expected = JSON.stringify(['abc', value, value, null])
  t.is(await browser.text('/set'), expected)
  t.is(await browser.text('/'), expected)
})

test('a signed value is bound to its name and to our secret, and too old when it says so', async (t) => {
  const clock = { now: Date.now() }
  const { client, url } = await serve(t, (req, res) => {
    const { cookies } = sessions(req)
    if (req.url!.startsWith('/set')) cookies.set('a', { user: Number(req.url!.slice('/set'.length)) }, { format: 'signed', maxAge: 3600 })
    res.end(JSON.stringify(['a', 'b'].map((name) => cookies.get(name, { format: 'signed', maxAge: 3600 }) ?? null)))
  }, { now: () => clock.now })
  const browser = client()
  await browser.get('/set7')
  const value = (await browser.cookies()).slice('a='.length)
  await browser.get('/set8')
  const another = (await browser.cookies()).slice('a='.length)
  const asked = async (cookie: string): Promise<string> => (await fetch(url, { headers: { cookie } })).text()
  t.is(await asked(`a=${value}`), '[{"user":7},null]')
  t.is(await asked(`b=${value}`), '[null,null]')
  t.is(await asked(`a=${value.slice(0, -2)}AA`), '[null,null]')
  for (const planted of ['x', '', `${value}x`, value, another.slice(0, -2)]) {
    t.is(await asked(`a=${planted}; a=${value}`), '[{"user":7},null]')
    t.is(await asked(`a=${value}; a=${planted}`), '[{"user":7},null]')
  }
  t.is(await asked(`a=${value}; a=${another}`), '[null,null]')
  t.is(await asked(`a=${value}${'; a=x'.repeat(7)}`), '[{"user":7},null]')
  t.is(await asked(`a=${value}${'; a=x'.repeat(8)}`), '[null,null]')
  t.is(await asked('a=x'), '[null,null]')
  clock.now += 3_600_001
  t.is(await asked(`a=${value}`), '[null,null]')
})

test('the cookies of sessions are not set or deleted beside them', async (t) => {
  for (const [cookieName, taken, free] of [
    ['phial', ['phial', 'phial-seen', 'phial-1', 'phial.cart', 'phial.cart-1'], ['phial2', 'Phial', 'x-phial']],
    ['__Host-id', ['__Host-id', '__Host-id-seen', '__Host-id.cart', 'id.cart', 'id.cart-1'], ['id', '__Host-ida']],
  ] as const) {
    const { client } = await serve(t, async (req, res) => {
      const { cookies } = sessions(req)
      await (await req.session.set('a', 1)).save()
      for (const name of taken) {
        t.throws(() => cookies.set(name, 'x'), { instanceOf: TypeError, message: /session/ }, name)
        t.throws(() => cookies.delete(name), { instanceOf: TypeError, message: /session/ }, name)
        t.is(cookies.get(name), undefined)
      }
      for (const name of free) cookies.set(name, 'x')
      res.end()
    }, { cookieName, secure: true })
    const lines = (await client().get('/')).headers.getSetCookie()
    t.deepEqual(lines.map((line) => line.split('=')[0]), [cookieName, ...free])
  }
})

test('what this request set in one format is there in no other', async (t) => {
  const { client } = await serve(t, (req, res) => {
    const { cookies } = sessions(req)
    const formats = ['plain', 'json', 'signed'] as const
    for (const format of formats) cookies.set(format, 'true', { format })
    for (const format of formats) t.deepEqual(formats.map((name) => cookies.get(name, { format })), formats.map((name) => name === format ? 'true' : undefined))
    res.end()
  })
  t.is((await client().get('/')).status, 200)
})

test('an age is a number of seconds: what is none limits nothing, and is refused', async (t) => {
  const { client } = await serve(t, (req, res) => {
    const { cookies } = sessions(req)
    cookies.set('there', '1')
    for (const maxAge of [Number.NaN, -1, '60', null, new Date()] as any[]) {
      for (const name of ['there', 'none']) t.throws(() => cookies.get(name, { format: 'signed', maxAge }), { instanceOf: TypeError })
      t.throws(() => cookies.set('new', '1', { format: 'signed', maxAge }), { instanceOf: TypeError })
    }
    for (const maxAge of [0, 0.5, Infinity]) cookies.set('new', cookies.get('none', { format: 'signed', maxAge }) ?? '1', { maxAge })
    res.end()
  })
  t.is((await client().get('/')).headers.getSetCookie().length, 2)
})

test('what no cookie can hold is refused when it is set, and so is one that comes too late', async (t) => {
  const codes: unknown[] = []
  const { client } = await serve(t, (req, res) => {
    const { cookies } = sessions(req)
    const attempt = (work: () => void): void => {
      try {
        work()
        codes.push('set')
      } catch (error) {
        codes.push((error as { code?: string }).code ?? (error as Error).name)
      }
    }
    attempt(() => cookies.set('a', 'x;y'))
    attempt(() => cookies.set('a', 7))
    attempt(() => cookies.set('a', undefined, { format: 'json' }))
    attempt(() => cookies.set('a', 'x'.repeat(4096)))
    attempt(() => cookies.set('a b', 'x'))
    attempt(() => cookies.set('__Host-a', 'x', { path: '/deep' }))
    attempt(() => cookies.set('a', 'x', { sameSite: 'none' }))
    res.write('x')
    attempt(() => cookies.set('a', 'x'))
    attempt(() => cookies.delete('a'))
    res.end()
  })
  t.is((await client().get('/')).status, 200)
  t.deepEqual(codes, ['TypeError', 'TypeError', 'TypeError', 'PHIAL_TOO_LARGE', 'PHIAL_CONFIG', 'PHIAL_CONFIG', 'PHIAL_CONFIG', 'PHIAL_HEADERS_SENT', 'PHIAL_HEADERS_SENT'])
})

test('a cookie that onError sets goes out with the answer to a failure, and none that the handler had set', async (t) => {
  for (const isAnswered of [true, false]) {
    const { client } = await serve(t, (req, res) => {
      sessions(req).cookies.set('prepared', '1')
      res.setHeader('X-Prepared', '1')
      throw new StoreUnavailableError('down', { backend: 'memory', operation: 'get' })
    }, {
      onError: (_error, req, res: any) => {
        sessions(req as object).cookies.set('notice', 'sorry')
        if (isAnswered) res.writeHead(502, { 'Set-Cookie': 'own=1' }).end()
      },
    })
    const answer = await client().get()
    t.is(answer.status, isAnswered ? 502 : 503)
    t.deepEqual(answer.headers.getSetCookie().map((line) => line.split(';')[0]), [...(isAnswered ? ['own=1'] : []), 'notice=sorry'])
  }
})
