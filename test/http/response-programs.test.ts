import { createServer, type ServerResponse } from 'node:http'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import type { ResponseGate } from '../../src/http/response-gate.js'
import { withoutTiming } from '../support/chunks.js'
import { gateOn, sessionCookie, turn } from '../support/gated-server.js'
import { exchange, listen, parseHead, request, withoutDate, type ParsedHead } from '../support/raw-http.js'
import { programs, runProgram, type Observed, type Program } from '../support/response-program.js'

const parameters = { numRuns: Number(process.env['PHIAL_PROGRAMS'] ?? 200), seed: Number(process.env['PHIAL_SEED'] ?? 20) }

/** When a promise is held, and for how long; both in turns of the event loop. */
type Plan = readonly { readonly after: number; readonly lasts: number }[]
const plans: fc.Arbitrary<Plan> = fc.array(fc.record({ after: fc.nat(2), lasts: fc.nat(4) }), { minLength: 1, maxLength: 3 })

interface Result {
  readonly text: string
  readonly observed: Observed
}

type Run = (program: Program, plan?: Plan) => Promise<Result>

/** Runs programs, one connection for each, on a server that does this with each response first. */
const runner = async (t: ExecutionContext, putOn: (res: ServerResponse, plan: Plan) => unknown): Promise<Run> => {
  const runs: { program: Program; plan: Plan; done: (observed: Observed) => void }[] = []
  const server = createServer((req, res) => {
    if (req.url === '/after') return res.end('after')
    const { program, plan, done } = runs[Number(req.url?.slice(1))]!
    putOn(res, plan)
    return runProgram(res, program).then(done)
  })
  const port = await listen(t, server)
  return async (program, plan = []) => {
    const observed = new Promise<Observed>((done) => runs.push({ program, plan, done }))
    const { text } = await exchange(port, requestsOf(program, `/${runs.length - 1}`))
    return { text: withoutDate(text), observed: orderly(await observed) }
  }
}

/** With a second request behind it where the connection stays open, which shows whether the first answer's end was right. */
const requestsOf = ({ method, connection }: Program, path: string): string => {
  if (connection === 'HTTP/1.0') return request(path, { method, version: '1.0' })
  const last = ['Connection: close']
  if (connection === 'close') return request(path, { method, headers: last })
  return request(path, { method }) + request('/after', { headers: last })
}

/** What each call gave, in order; what came later, in any order: a held call's callback comes when it was truly made. */
const orderly = (observed: Observed): Observed => {
  const isLater = (line: string): boolean => /^(\d+ callback|error|finish|close)/.test(line)
  return [...observed.filter((line) => !isLater(line)), ...observed.filter(isLater).sort()]
}

const timeless = ({ text, observed }: Result): Result => ({ text: withoutTiming(text), observed })

const holdBy = (plan: Plan, gate: ResponseGate): void => {
  for (const { after, lasts } of plan) {
    if (after === 0) gate.hold(turns(lasts))
    else void turns(after).then(() => gate.hold(turns(lasts)))
  }
}

const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await turn()
}

test('S197: with nothing pending, a response behaves as a bare one', async (t) => {
  const bare = await runner(t, () => {})
  const gated = await runner(t, (res) => gateOn(res, {}, []))
  await fc.assert(fc.asyncProperty(programs, async (program) => {
    t.deepEqual({ program, ...await gated(program) }, { program, ...await bare(program) })
  }), parameters)
})

test('S197: held at any moment, a response looks to its handler, and to its client, as a bare one', async (t) => {
  const bare = await runner(t, () => {})
  const gated = await runner(t, (res, plan) => holdBy(plan, gateOn(res, {}, [])))
  await fc.assert(fc.asyncProperty(programs, plans, async (program, plan) => {
    t.deepEqual({ program, plan, ...timeless(await gated(program, plan)) }, { program, plan, ...timeless(await bare(program)) })
  }), parameters)
})

test("S071: the session's headers are added to any head, and nothing else changes", async (t) => {
  const bare = await runner(t, () => {})
  const gated = await runner(t, (res, plan) => holdBy(plan, gateOn(res, { headers: () => [sessionCookie] }, [])))
  await fc.assert(fc.asyncProperty(programs, plans, async (program, plan) => {
    t.deepEqual(inAnyOrder(partsOf(timeless(await gated(program, plan)))), inAnyOrder(withSession(partsOf(timeless(await bare(program))))))
  }), parameters)
})

interface Parts extends ParsedHead {
  /** The answers before the answer (1xx). */
  readonly interim: string
}

const partsOf = ({ text }: Result): Parts => {
  const [interim = ''] = /^(HTTP\/1.1 1\d\d .*\r\n(Link: .*\r\n)?\r\n)*/.exec(text) ?? []
  return { interim, ...parseHead(text.slice(interim.length)) }
}

const inAnyOrder = ({ headers, ...others }: Parts): Parts => ({ ...others, headers: headers.toSorted() })

const withSession = ({ headers, ...others }: Parts): Parts => {
  const isOurs = (line: string): boolean => /^(cache-control|vary): /i.test(line)
  const vary = headers.filter((line) => /^vary: /i.test(line)).map((line) => line.slice(6))
  const added = ['Set-Cookie: id=1; HttpOnly', 'Cache-Control: no-store', `Vary: ${[...vary, 'Cookie'].join(', ')}`]
  return { ...others, headers: [...headers.filter((line) => !isOurs(line)), ...added] }
}
