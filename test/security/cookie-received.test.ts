import test from 'ava'
import { connect } from 'node:net'
import { newId } from '../../src/record/id.js'
import { acts, ask, cookieFor, COOKIES, countOf, MODES, random, record, serveIn, Visitor } from './support.js'

const COUNT = countOf('PHIAL_FUZZ', 60)

const CRLF = Buffer.from('\r\n')

/** Sends the bytes as they are, and reads until the server closes the connection. */
const send = (port: number, ...headers: (string | Buffer)[]): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = ''
    const lines = headers.map((header) => Buffer.concat([typeof header === 'string' ? Buffer.from(header, 'latin1') : header, CRLF]))
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(Buffer.concat([Buffer.from('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n'), ...lines, CRLF]))
    })
    socket.setEncoding('latin1').on('data', (chunk) => { text += chunk }).on('error', reject).on('close', () => resolve(text))
  })

const bodyOf = (answer: string): string => answer.slice(answer.indexOf('\r\n\r\n') + 4)

const permutations = <V>(values: readonly V[]): V[][] =>
  values.length === 0 ? [[]] : values.flatMap((value, at) => permutations(values.toSpliced(at, 1)).map((rest) => [value, ...rest]))

const subsets = <V>(values: readonly V[]): V[][] =>
  values.length === 0 ? [[]] : subsets(values.slice(1)).flatMap((rest) => [rest, [values[0]!, ...rest]])

for (const mode of MODES) {
  test.serial(`S081: whatever the order, one cookie that verifies is the session, and two sessions are none and told: ${mode.name}`, async (t) => {
    const told = record(t)
    const { port } = await serveIn(t, mode, acts)
    const [ann, ben] = [new Visitor(port), new Visitor(port)]
    await ann.ask('/set?user=ann')
    await ben.ask('/set?user=ben')
    const forged = mode.isStored ? cookieFor(newId(), 'phial', 'another secret') : (await ann.cookies()).replace(/...$/, 'AAA')
    const cookies = { ann: await ann.cookies(), ben: await ben.cookies(), forged, empty: 'phial=', twice: await ann.cookies() }
    for (const subset of subsets(Object.entries(cookies))) {
      const names = subset.map(([name]) => name)
      const isAnn = names.includes('ann') || names.includes('twice')
      const isBen = names.includes('ben')
      const expected = isAnn === isBen ? '{}' : isBen ? '{"user":"ben"}' : '{"user":"ann"}'
      for (const order of subset.length > 3 ? [subset, subset.toReversed()] : permutations(subset)) {
        told.length = 0
        const { status, body } = await ask(port, '/', { cookie: order.map(([, cookie]) => cookie).join('; ') })
        t.deepEqual([status, body], [200, expected], order.map(([name]) => name).join())
        t.is(told.some(({ event, fields }) => event === 'rejected-id' && fields.reason === 'ambiguous'), isAnn && isBen)
      }
    }
  })

  test(`S080: several Cookie headers are one: ${mode.name}`, async (t) => {
    const { port } = await serveIn(t, mode, acts)
    const visitor = new Visitor(port)
    await visitor.ask('/set?user=ann')
    const pair = await visitor.cookies()
    t.is(bodyOf(await send(port, 'Cookie: a=1', `Cookie: ${pair}`, 'Cookie: b=2')), '{"user":"ann"}')
    t.is(bodyOf(await send(port, `Cookie: a=1; ${pair}; phial=`, 'cookie: b=2')), '{"user":"ann"}')
  })

  test(`S082, S083, S084, S085, S086, S087: what only looks like our cookie on the wire is not: ${mode.name}`, async (t) => {
    const { port } = await serveIn(t, mode, acts)
    const visitor = new Visitor(port)
    await visitor.ask('/set?user=ann')
    const pair = await visitor.cookies()
    const value = pair.slice('phial='.length)
    const strangers = [
      `%70hial=${value}`, `phi%61l=${value}`, `Phial=${value}`, `PHIAL=${value}`, `phial%00=${value}`,
      `\xa0phial=${value}`, `phial\xa0=${value}`, `\x85phial=${value}`, `\xe2\x80\x80phial=${value}`, `\xc2\x85phial=${value}`,
      `\xef\xbb\xbfphial=${value}`,
      `phial[=${value}`, `phial[]=${value}`, `phial.=${value}`, `.phial=${value}`, `phial =${value.replace(/^./, '')}`,
      `ph_ial=${value}`, `__Host-phial=${value}`,
      `=phial=${value}`, ` = phial=${value}`, `==${value}`, value, `phial:${value}`, `phial`, `x=phial=${value}`,
      `phial="${value}"`, `a="1; phial=${value}"`, `phial="a; b=${value}"`, `$Version=1,phial=${value}`, `phial=$${value}`,
      `phial='${value}'`,
      `phial=${encodeURIComponent(value)}%20`, `phial=${value},`, `phial=${value}=`,
    ]
    for (const stranger of strangers) t.is(bodyOf(await send(port, Buffer.from(`Cookie: ${stranger}`, 'latin1'))), '{}', stranger)
    for (const ours of [`$Version="1"; ${pair}; $Path="/"`, `\t ${pair} \t`, `phial \t=\t ${value}`, `;;;${pair};;`, `a="1;${pair};"`]) {
      t.is(bodyOf(await send(port, `Cookie: ${ours}`)), '{"user":"ann"}', ours)
    }
  })

  test(`S088, S090: no octets in a Cookie header make the server fail or a prototype change: ${mode.name}`, async (t) => {
    const { port } = await serveIn(t, mode, acts)
    const visitor = new Visitor(port)
    await visitor.ask('/set?user=ann')
    const pair = await visitor.cookies()
    const before = JSON.stringify(Object.getOwnPropertyNames(Object.prototype).concat(Object.getOwnPropertyNames(Map.prototype)))
    const chance = random(countOf('PHIAL_SEED', Math.floor(Math.random() * 2 ** 31)))
    const pick = <V>(values: readonly V[]): V => values[Math.floor(chance() * values.length)]!
    const pieces = [
      pair, 'phial', 'phial=', '=', ';', '; ', ',', '%', '%ff', '%E0%A4%A', '"', '\\', '\xff', '\x80', '\t', 'é', '__proto__=1',
      'constructor=x', 'toString', 'hasOwnProperty=1',
      'phial-seen=', 'phial-1=', 'phial=8~', 'phial=2~A', '.', '~', 'j:{"a":1}', 's:', 'A'.repeat(43), 'A'.repeat(500),
      pair.slice(0, 60), pair.slice(6),
    ]
    const headers = [
      '', '=', ';', '; ; ;', '='.repeat(5000), ';'.repeat(5000), 'a=1; '.repeat(3000), 'phial=A; '.repeat(1500),
      'phial=; '.repeat(1500), `${'__proto__=x; '.repeat(20)}`, 'phial='.repeat(2000),
    ]
    for (let n = 0; n < COUNT; n++) {
      headers.push(Array.from({ length: Math.ceil(chance() * 12) }, () => pick(pieces)).join(''))
      const octet = (): number => pick([9, 32 + Math.floor(chance() * 95), 128 + Math.floor(chance() * 128)])
      headers.push(Array.from({ length: Math.ceil(chance() * 200) }, () => String.fromCharCode(octet())).join(''))
    }
    for (const header of headers) t.regex(await send(port, Buffer.from(`Cookie: ${header}`, 'latin1')), /^HTTP\/1.1 200 /, header)
    t.regex(await send(port, `Cookie: ${'a=1; '.repeat(5000)}`), /^HTTP\/1.1 431 /)
    t.is(JSON.stringify(Object.getOwnPropertyNames(Object.prototype).concat(Object.getOwnPropertyNames(Map.prototype))), before)
    t.is(await visitor.body(), '{"user":"ann"}')
  })

  test(`S091: a cookie that the browser has dropped is a new session and no error: ${mode.name}`, async (t) => {
    const { port } = await serveIn(t, mode, acts, mode.isStored ? {} : { cookie: { chunks: 4 } })
    const visitor = new Visitor(port)
    await visitor.ask(`/set?user=ann&long=${'x'.repeat(6000)}`)
    const cookies = (await visitor.cookies()).split('; ')
    t.is(cookies.length > 1, !mode.isStored)
    for (const dropped of cookies) {
      const left = cookies.filter((cookie) => cookie !== dropped).join('; ')
      const { status, body } = await ask(port, '/', { cookie: left })
      t.deepEqual([status, body], [200, '{}'])
      t.is((await ask(port, '/set?user=ben', { cookie: left })).body, '{"user":"ben"}')
    }
  })
}

for (const mode of COOKIES) {
  test(`S091: of cookies from two saves, or in another order, no session is made that never was: ${mode.name}`, async (t) => {
    const { port } = await serveIn(t, mode, acts, { cookie: { chunks: 4 } })
    const visitor = new Visitor(port)
    await visitor.ask(`/set?a=${'1'.repeat(6000)}`)
    const before = (await visitor.cookies()).split('; ')
    await visitor.ask(`/set?a=${'2'.repeat(6000)}`)
    const after = (await visitor.cookies()).split('; ')
    for (const at of before.keys()) {
      t.is((await ask(port, '/', { cookie: before.toSpliced(at, 1, after[at]!).join('; ') })).body, '{}')
    }
    const valueOf = (cookie: string): string => cookie.slice(cookie.indexOf('=') + 1)
    const swapped = [
      before[0]!, before[1]!.replace(valueOf(before[1]!), valueOf(before[2]!)),
      before[2]!.replace(valueOf(before[2]!), valueOf(before[1]!)),
    ]
    t.is((await ask(port, '/', { cookie: [...swapped, ...before.slice(3)].join('; ') })).body, '{}')
    t.is((await ask(port, '/', { cookie: before.toReversed().join('; ') })).body, `{"a":"${'1'.repeat(6000)}"}`)
  })
}
