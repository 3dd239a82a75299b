import { createRequire } from 'node:module'
import type { Teardown } from './app.js'

type Message = Readonly<Record<string, any>>
type Callback = (error: { readonly code: number; readonly details: string } | null, answer?: Message) => void
type Method = 'lookup' | 'commit' | 'runQuery'

/** Hands the request on to the emulator. */
export type Forward = () => Promise<Message>

/**
 * What becomes of a call: a code of gRPC that it is refused with; `hang`: it is not done, and nothing is answered; `lost`: it is done, and
 * nothing is answered; or what the function answers, or fails with.
 */
export type Act = number | 'hang' | 'lost' | ((forward: Forward, request: Message, headers: Message) => Promise<Message>)

const load = createRequire(createRequire(import.meta.url).resolve('@google-cloud/datastore'))
const gax = load('google-gax')
const { grpc } = gax
const { Datastore } = new gax.GrpcClient({ grpc }).loadProtoJSON(load('@google-cloud/datastore/build/protos/protos.json')).google.datastore.v1

/** A Datastore whose answers a test writes: what it does not write is the emulator's. Every call is counted. */
export class ScriptedDatastore {
  /** The methods that were called. */
  readonly calls: Method[] = []
  readonly #script: { readonly method: Method; readonly act: Act }[] = []
  readonly #always = new Map<Method, Act>()
  readonly #upstream: any
  readonly #server: any

  #port = 0

  private constructor(emulatorPort: number | undefined) {
    this.#upstream = emulatorPort && new Datastore(`127.0.0.1:${emulatorPort}`, grpc.credentials.createInsecure())
    this.#server = new grpc.Server()
    const handlers = (['lookup', 'commit', 'runQuery'] as const).map((method) =>
      [method, (call: any, callback: Callback) => this.#answer(method, call, callback)])
    this.#server.addService(Datastore.service, Object.fromEntries(handlers))
  }

  /** Ended with the test. */
  static async start(t: Teardown, emulatorPort?: number, credentials: unknown = grpc.ServerCredentials.createInsecure()): Promise<ScriptedDatastore> {
    const scripted = new ScriptedDatastore(emulatorPort)
    scripted.#port = await new Promise<number>((resolve, reject) =>
      scripted.#server.bindAsync('127.0.0.1:0', credentials, (error: Error | null, port: number) => (error ? reject(error) : resolve(port))))
    t.teardown(() => scripted.#end())
    return scripted
  }

  get port(): number {
    return this.#port
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/phial-test`
  }

  /** The next calls of the method go like this, one each. */
  next(method: Method, ...acts: Act[]): void {
    for (const act of acts) this.#script.push({ method, act })
  }

  /** All calls of the method that have no other act go like this, until it is `undefined`. */
  always(method: Method, act: Act | undefined): void {
    if (act === undefined) this.#always.delete(method)
    else this.#always.set(method, act)
  }

  /** How many of the acts were not yet played. */
  get left(): number {
    return this.#script.length
  }

  /** The methods called since it was asked last. */
  taken(): Method[] {
    return this.calls.splice(0)
  }

  async #answer(method: Method, { request, metadata }: { readonly request: Message; readonly metadata: any }, callback: Callback): Promise<void> {
    this.calls.push(method)
    const index = this.#script.findIndex((one) => one.method === method)
    const act = index < 0 ? this.#always.get(method) : this.#script.splice(index, 1)[0]!.act
    const forward: Forward = () => new Promise((resolve, reject) =>
      this.#upstream[method](request, (error: Error | null, answer: Message) => (error ? reject(error) : resolve(answer))))
    if (act === 'hang') return
    if (typeof act === 'number') return callback({ code: act, details: 'as it is written' })
    try {
      const answer = await (typeof act === 'function' ? act(forward, request, metadata.getMap()) : forward())
      if (act !== 'lost') callback(null, answer)
    } catch (error) {
      callback(error as { code: number; details: string })
    }
  }

  #end(): void {
    this.#server.forceShutdown()
    this.#upstream?.close()
  }
}
