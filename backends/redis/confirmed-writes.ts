import type { Calls, Sender } from './calls.js'
import { NotSent, ofClient, Unanswered, Unconfirmed } from './errors.js'
import type { Command } from './ioredis.js'
import { charsIn, MOST_CALLS } from './room.js'

interface Pending {
  /** ASKING before it, where it has to be. */
  readonly commands: readonly Command[]
  readonly deadline: number
  readonly resolve: (reply: unknown) => void
  readonly reject: (error: unknown) => void
}

/**
 * Writes that count when so many replicas have them. WAIT speaks of what its own connection wrote, and blocks it: so these writes have a
 * connection of their own, and those that come while one WAIT is under way share the next. Over the same connection it is also the same
 * server: after a failover another one could confirm what it never saw.
 *
 * A deadline holds from the call on: what waits here and is late is never sent.
 */
export class ConfirmedWrites implements Sender {
  readonly #calls: Calls
  readonly #replicas: number
  readonly #waitMs: number
  #pending: Pending[] = []
  #isAtWork = false

  /** `waitMs`: how long the server waits for them. */
  constructor(calls: Calls, replicas: number, waitMs: number) {
    this.#calls = calls
    this.#replicas = replicas
    this.#waitMs = waitMs
  }

  ready(deadline: number): Promise<unknown> {
    return this.#calls.ready(deadline)
  }

  close(): Promise<void> {
    return this.#calls.close()
  }

  send(command: Command, deadline: number, isAsking = false): Promise<unknown> {
    if (this.#pending.length >= MOST_CALLS) return Promise.reject(new NotSent(`${MOST_CALLS} writes wait for replicas already`))
    const commands: Command[] = isAsking ? [['asking'], command] : [command]
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Unanswered()), deadline - performance.now())
      const end = (settle: () => void): void => {
        clearTimeout(timer)
        settle()
      }
      this.#pending.push({ commands, deadline, resolve: (reply) => end(() => resolve(reply)), reject: (error) => end(() => reject(error)) })
      if (!this.#isAtWork) void this.#work()
    })
  }

  async #work(): Promise<void> {
    this.#isAtWork = true
    while (this.#pending.length > 0) {
      const group = this.#pending.splice(0).filter(({ deadline }) => deadline > performance.now())
      if (group.length > 0) await this.#write(group)
    }
    this.#isAtWork = false
  }

  async #write(group: readonly Pending[]): Promise<void> {
    const commands: Command[] = [...group.flatMap((pending) => pending.commands), ['wait', this.#replicas, this.#waitMs]]
    const deadline = Math.max(...group.map((pending) => pending.deadline))
    const chars = commands.reduce((sum, command) => sum + charsIn(command), 0)
    try {
      const replies = await this.#calls.run(async (client) => unlessReplica(await client.pipeline(commands).exec() ?? []), deadline, chars)
      const failure = this.#failureOf(replies.at(-1))
      let last = -1
      for (const { commands: { length }, resolve, reject } of group) {
        const [refusal, reply] = replies[last += length]!
        if (refusal !== null) reject(ofClient(refusal))
        else if (failure !== undefined) reject(failure)
        else resolve(reply)
      }
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }

  #failureOf([error, replicas]: Reply = [null, 0]): Unconfirmed | undefined {
    if (error !== null) return new Unconfirmed('the server does not wait for replicas', { cause: ofClient(error) })
    return Number(replicas) < this.#replicas ? new Unconfirmed(`${Number(replicas)} of ${this.#replicas} replicas have it`) : undefined
  }
}

type Reply = [error: Error | null, reply: unknown]

/** A server that became a replica has done nothing: the connection is made anew, and the whole sent again. */
const unlessReplica = (replies: Reply[]): Reply[] => {
  const [[first] = [null]] = replies
  if (first?.message.startsWith('READONLY')) throw first
  return replies
}
