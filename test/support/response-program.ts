import type { ServerResponse } from 'node:http'
import fc from 'fast-check'
import { codeOf, turn } from './gated-server.js'

/** One step of what a handler does with its response. All of a step's values are plain, so that a failing program can be read. */
export type Step =
  | readonly ['setHeader' | 'appendHeader', name: string, value: string | readonly string[]]
  | readonly ['setHeaders', headers: readonly (readonly [string, string])[]]
  | readonly ['removeHeader', name: string]
  | readonly ['assign', member: 'statusCode' | 'statusMessage' | 'sendDate', value: number | string | boolean]
  | readonly ['writeHead', ...args: unknown[]]
  | readonly ['write' | 'end', chunk: Chunk, encoding: string | undefined, withCallback: boolean]
  | readonly ['flushHeaders']
  | readonly ['addTrailers', trailers: Readonly<Record<string, string>>]
  | readonly ['interim', method: 'writeContinue' | 'writeProcessing' | 'writeEarlyHints']
  | readonly ['pause', kind: 'microtask' | 'tick' | 'turn']

/** `none`: the argument is absent. `bytes:` stands for a Buffer. */
type Chunk = string | number | null | 'none'

export interface Program {
  readonly method: string
  readonly connection: 'keep-alive' | 'close' | 'HTTP/1.0'
  readonly steps: readonly Step[]
}

/** What a handler, and whoever listens to its response, could see. */
export type Observed = readonly string[]

const name = fc.constantFrom('X-A', 'x-b', 'Content-Type', 'Vary', 'Set-Cookie', 'Cache-Control', 'ETag')
const value = fc.constantFrom('1', 'two', 'text/plain', 'a=1; Path=/', 'no-cache')
const status = fc.constantFrom(200, 200, 201, 204, 304, 404, 500)
const header = fc.tuple(name, value)
const framing = fc.constantFrom<readonly [string, string]>(
  ['Content-Length', '5'], ['Content-Length', '0'], ['Transfer-Encoding', 'chunked'], ['Connection', 'close'], ['Date', 'never']
)
const headers = fc.uniqueArray(header, { maxLength: 3, selector: ([key]) => key.toLowerCase() })

const headForms = fc.oneof(
  fc.tuple(status),
  fc.tuple(status, fc.constantFrom('Fine', '')),
  fc.tuple(status, headers.map((pairs) => Object.fromEntries(pairs))),
  fc.tuple(status, headers.map((pairs) => pairs.flat())),
  fc.tuple(status, fc.constant('Fine'), headers.map((pairs) => pairs.flat())),
  fc.tuple(status, fc.constant(undefined), headers.map((pairs) => Object.fromEntries(pairs))),
  fc.tuple(status, fc.constantFrom({ 'Set-Cookie': ['a=1', 'b=2'] }, { 'Content-Length': 5 }, { Connection: 'close' })),
  fc.tuple(fc.constantFrom(0, 99, 1000, 'teapot'))
)

const chunk = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom<Chunk>('a', 'hello', 'bytes:hello', '', 'é€', 'bytes:', 'x'.repeat(300)) },
  { weight: 2, arbitrary: fc.constantFrom<Chunk>('none', null) },
  { weight: 1, arbitrary: fc.constant<Chunk>(5) }
)
const encoding = fc.constantFrom(undefined, undefined, 'utf8', 'latin1')
const pause = fc.tuple(fc.constant('pause'), fc.constantFrom('microtask', 'tick', 'turn'))

const early = fc.oneof(
  fc.tuple(fc.constantFrom('setHeader', 'appendHeader'), name, fc.oneof(value, fc.constant(['c=1', 'd=2']))),
  fc.tuple(fc.constant('setHeader'), framing).map(([call, pair]) => [call, ...pair]),
  fc.tuple(fc.constant('setHeaders'), headers),
  fc.tuple(fc.constant('removeHeader'), fc.oneof(name, fc.constantFrom('Date', 'Connection', 'Content-Length', 'Transfer-Encoding'))),
  fc.tuple(fc.constant('assign'), fc.constant('statusCode'), status),
  fc.tuple(fc.constant('assign'), fc.constant('statusMessage'), fc.constantFrom('Custom', '')),
  fc.tuple(fc.constant('assign'), fc.constant('sendDate'), fc.boolean()),
  fc.tuple(fc.constant('interim'), fc.constantFrom('writeContinue', 'writeProcessing', 'writeEarlyHints')),
  fc.tuple(fc.constant('addTrailers'), fc.constantFrom({ 'X-T': '1' }, { 'X-T': '1', 'X-U': '2' })),
  pause
)

const sending = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(fc.constant('write'), chunk, encoding, fc.boolean()) },
  { weight: 2, arbitrary: headForms.map((args) => ['writeHead', ...args]) },
  { weight: 1, arbitrary: fc.constant(['flushHeaders']) },
  { weight: 3, arbitrary: early }
)

const ending = fc.tuple(fc.constant('end'), chunk, encoding, fc.boolean())

/** After the end without a pause: later, it is a matter of time whether the response is complete already. */
const late = fc.oneof(sending.filter(([call]) => call !== 'pause'), ending)

export const programs: fc.Arbitrary<Program> = fc.record({
  method: fc.constantFrom('GET', 'GET', 'POST', 'HEAD'),
  connection: fc.constantFrom('keep-alive', 'close', 'HTTP/1.0'),
  steps: fc.tuple(
    fc.array(early, { maxLength: 4 }), fc.array(sending, { maxLength: 6 }), fc.array(ending, { minLength: 0, maxLength: 1 }),
    fc.array(late, { maxLength: 4 })
  ).map(([before, during, end, after]) =>
    [...before, ...during, ...end, ...(end.length > 0 ? after : [])] as unknown as readonly Step[])
})

/** Does what the program says, and in any case ends the response. */
export const runProgram = async (res: ServerResponse, { steps }: Program): Promise<Observed> => {
  const seen: string[] = []
  const over = watch(res, seen)
  // Node appends to the arrays it is given.
  for (const [index, step] of structuredClone(steps).entries()) {
    if (step[0] === 'pause') await pauseFor(step[1])
    else seen.push(`${index} ${attempt(() => take(res, step, (outcome) => seen.push(`${index} callback ${outcome}`)))} ${state(res)}`)
  }
  if (!res.writableEnded) seen.push(attempt(() => res.end()))
  if (!res.writableEnded) res.destroy()
  await over
  return seen
}

const watch = (res: ServerResponse, seen: string[]): Promise<void> => {
  res.on('error', (error) => seen.push(`error ${codeOf(error)}`))
  res.on('finish', () => seen.push(`finish ${res.writableFinished} ${res.writableLength} ${res.statusCode}`))
  return new Promise((resolve) => {
    res.on('close', () => {
      seen.push('close')
      setImmediate(resolve)
    })
  })
}

const pauseFor = (kind: 'microtask' | 'tick' | 'turn'): Promise<void> =>
  kind === 'turn' ? turn() : kind === 'tick' ? new Promise((resolve) => process.nextTick(resolve)) : Promise.resolve()

const take = (res: ServerResponse, step: Step, callback: (outcome: string) => void): unknown => {
  switch (step[0]) {
    case 'setHeader': return res.setHeader(step[1], step[2])
    case 'appendHeader': return res.appendHeader(step[1], step[2])
    case 'setHeaders': return res.setHeaders(new Map(step[1]))
    case 'removeHeader': return removeHeader(res, step[1])
    case 'assign': return Object.assign(res, { [step[1]]: step[2] })
    case 'writeHead': return (res.writeHead as (...args: unknown[]) => unknown)(...step.slice(1))
    case 'flushHeaders': return res.flushHeaders()
    case 'addTrailers': return res.addTrailers(step[1])
    case 'interim': return interim(res, step[1])
    case 'write':
    case 'end': return (res[step[0]] as (...args: unknown[]) => unknown)(...body(step, callback))
    case 'pause': return undefined
  }
}

/** Not the last one: `getHeaders` then shows, for ever after, that there were some once. Nobody can look into that without taking part. */
const removeHeader = (res: ServerResponse, header: string): void => {
  if (String(res.getHeaderNames()) !== header.toLowerCase()) res.removeHeader(header)
}

/** After the head it would be part of the body. */
const interim = (res: ServerResponse, method: 'writeContinue' | 'writeProcessing' | 'writeEarlyHints'): void => {
  if (res.headersSent) return
  if (method === 'writeEarlyHints') res.writeEarlyHints({ link: '</a.css>; rel=preload' })
  else res[method]()
}

const body = ([, chunk, encoding, withCallback]: readonly unknown[], callback: (outcome: string) => void): unknown[] => [
  ...(chunk === 'none' ? [] : [typeof chunk === 'string' && chunk.startsWith('bytes:') ? Buffer.from(chunk.slice(6)) : chunk]),
  ...(chunk === 'none' || encoding === undefined ? [] : [encoding]),
  ...(withCallback ? [(error?: Error | null) => callback(error ? codeOf(error) : 'done')] : [])
]

const attempt = (call: () => unknown): string => {
  try {
    const result = call()
    return typeof result === 'object' ? 'response' : String(result)
  } catch (error) {
    return `throws ${codeOf(error)}`
  }
}

const state = (res: ServerResponse): string =>
  JSON.stringify([
    res.headersSent, Boolean((res as { _header?: unknown })._header), res.writableEnded, res.finished, res.writableNeedDrain,
    res.statusCode, res.statusMessage, res.sendDate, res.getHeaders(), res.getHeaderNames(), res.hasHeader('x-a'), res.getHeader('x-b')
  ])
