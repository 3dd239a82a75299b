import { EventEmitter } from 'node:events'
import { NotSent, ofClient } from './errors.js'
import type { Client, Command } from './ioredis.js'
import { Sentinels } from './sentinels.js'
import type { SentinelsOptions } from './sentinels.js'
import { addressOf } from './url.js'
import type { Endpoint } from './url.js'

export interface MastersOptions extends SentinelsOptions {
  /** A client of a server, not connected yet. */
  serverOf(server: Endpoint): Client
}

/** Makes clients of whoever is the master, and ends them when another is. */
export class Masters {
  readonly #options: MastersOptions
  readonly #sentinels: Sentinels
  readonly #clients = new Set<MasterClient>()
  #comparing: Promise<void> | undefined

  constructor(options: MastersOptions) {
    this.#options = options
    this.#sentinels = new Sentinels(options, () => this.#leave(), () => this.#compare())
  }

  /** Not connected yet; whose it is, is asked when it connects. */
  client(): Client {
    const client = new MasterClient(() => this.#sentinels.find(), (server) => this.#options.serverOf(server))
    this.#clients.add(client)
    client.on('end', () => this.#clients.delete(client))
    return client
  }

  close(): void {
    this.#sentinels.close()
  }

  #leave(): void {
    for (const client of this.#clients) client.disconnect()
  }

  /** Sentinels tell the same one after the other: once is enough, after the last. */
  #compare(): void {
    const before = this.#comparing ?? Promise.resolve()
    const comparing = before.then(async () => {
      if (this.#comparing !== comparing) return
      const address = await this.#sentinels.find().then(addressOf, () => undefined)
      for (const client of this.#clients) if (address !== undefined && client.address !== undefined && client.address !== address) client.disconnect()
    })
    this.#comparing = comparing
  }
}

/** One connection to the master: to nobody else, whatever the sentinels say. */
class MasterClient extends EventEmitter implements Client {
  readonly #find: () => Promise<Endpoint>
  readonly #serverOf: (server: Endpoint) => Client
  #client: Client | undefined
  #isEnded = false
  /** Where it is, or is about to be, connected to. */
  address: string | undefined

  constructor(find: () => Promise<Endpoint>, serverOf: (server: Endpoint) => Client) {
    super()
    this.#find = find
    this.#serverOf = serverOf
  }

  get status(): string {
    return this.#client?.status ?? (this.#isEnded ? 'end' : 'connecting')
  }

  async connect(): Promise<void> {
    const server = await this.#find()
    if (this.#isEnded) throw new NotSent('the master is about to change')
    this.address = addressOf(server)
    const client = (this.#client = this.#serverOf(server))
    client.on('error', (error) => this.emit('error', error))
    client.on('end', () => this.#end())
    await client.connect()
    const role = await client.call('role').catch((error: unknown) => { throw ofClient(error) })
    if (!Array.isArray(role) || role[0] !== 'master') throw new NotSent('whom the sentinels name is not a master, or not yet')
  }

  call(...command: Command): Promise<unknown> {
    return this.#client!.call(...command)
  }

  pipeline(commands: readonly Command[]): ReturnType<Client['pipeline']> {
    return this.#client!.pipeline(commands)
  }

  /** It is at its end at once, so that nothing more is sent over it; what is in flight is answered still. */
  disconnect(): void {
    this.#end()
    this.#client?.disconnect()
  }

  #end(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.emit('end')
  }
}
