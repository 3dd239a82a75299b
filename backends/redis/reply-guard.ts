import type { Client } from './ioredis.js'

/** Arrays in arrays: a script's reply has two, a cluster's map of its slots four. */
const MOST_DEPTH = 8
/** An owner's sessions come as one array. */
const MOST_ELEMENTS = 1_000_000
/** A value (see the manifest) and what stands before it. */
const MOST_BYTES = 8 * 1024 * 1024
/** Messages and what SUBSCRIBE answers, which hold no nulls, or what is answered at the start: nothing else that a listener may get ends well. */
const TO_LISTENER = /^(\*3|\+OK|\+PONG|-.*)\r\n$/
/** Errors come as a line, with a piece of the command at most. */
const MOST_LINE = 65_536

const [CR, LF] = [13, 10]

/**
 * Looks at what comes from a server before ioredis reads it: a reply that nobody asked for (a null one, and a push of RESP3) ends the
 * *process* there, from inside its parser, and one that says to be endless is waited for. What is no reply to a command of ours, in RESP2,
 * ends the connection instead. A listener, which subscribes, gets messages unasked: those have to have the shape of one.
 */
export const guardReplies = (client: Client, isListener = false): void => {
  client.on('connect', () => {
    const { stream } = client as unknown as { stream: Stream }
    const decoders = stream.listeners('data')
    const shape = new ReplyShape(isListener)
    stream.removeAllListeners('data')
    stream.on('data', (chunk: Buffer) => {
      if (shape.accepts(chunk, (client as unknown as Queue).commandQueue.length)) for (const decode of decoders) decode.call(stream, chunk)
      else stream.destroy(Object.assign(new Error('what came is no reply of a redis server to what was asked'), { code: 'ERR_REDIS_PROTOCOL' }))
    })
  })
}

interface Stream {
  listeners(event: 'data'): ((this: unknown, chunk: Buffer) => void)[]
  removeAllListeners(event: 'data'): void
  on(event: 'data', listener: (chunk: Buffer) => void): void
  destroy(error: Error): void
}

/** The commands that were sent and not answered. */
interface Queue {
  readonly commandQueue: { readonly length: number }
}

/** Follows the frames of RESP2, as far as their ends and sizes go. */
export class ReplyShape {
  /** How many elements are still to come of each array that is open. */
  readonly #open: number[] = []
  /** The line that is being read, from its type on. */
  #line = ''
  /** Of a bulk string, with its line end. */
  #bytesLeft = 0
  #repliesDue = 0
  readonly #isListener: boolean

  constructor(isListener = false) {
    this.#isListener = isListener
  }

  /** How many are still due after what has come. */
  get repliesDue(): number {
    return this.#repliesDue
  }

  /** Whether it can be what comes next, with so many replies due. Once it was not, it is of no use any more. */
  accepts(chunk: Buffer, repliesDue: number): boolean {
    this.#repliesDue = repliesDue
    for (let at = 0; at < chunk.length;) {
      if (this.#bytesLeft > 0) {
        const step = Math.min(this.#bytesLeft, chunk.length - at)
        this.#bytesLeft -= step
        at += step
        if (this.#bytesLeft === 0) this.#ended()
        continue
      }
      if (this.#line === '' && this.#open.length === 0 && this.#repliesDue === 0 && !this.#isListener) return false
      const end = chunk.indexOf(LF, at)
      const stop = end < 0 ? chunk.length : end + 1
      if (this.#line.length + stop - at > MOST_LINE) return false
      this.#line += chunk.toString('latin1', at, stop)
      at = stop
      if (end >= 0 && !this.#takeLine()) return false
      if (this.#line !== '' && !'+-:$*'.includes(this.#line[0]!)) return false
    }
    return true
  }

  #takeLine(): boolean {
    const line = this.#line
    this.#line = ''
    if (line.charCodeAt(line.length - 2) !== CR) return false
    const text = line.slice(1, -2)
    if (this.#isListener && (text === '-1' || (this.#open.length === 0 && !TO_LISTENER.test(line)))) return false
    switch (line[0]) {
      case '+':
      case '-':
        return this.#ended()
      case ':':
        return /^-?\d{1,19}$/.test(text) && this.#ended()
      case '$':
        return this.#takeSize(text, MOST_BYTES, (bytes) => { this.#bytesLeft = bytes + 2 })
      case '*':
        return this.#open.length < MOST_DEPTH && this.#takeSize(text, MOST_ELEMENTS, (count) => void (count === 0 ? this.#ended() : this.#open.push(count)))
      default:
        return false
    }
  }

  #takeSize(text: string, most: number, open: (size: number) => void): boolean {
    if (text === '-1') return this.#ended()
    if (!/^\d{1,9}$/.test(text) || Number(text) > most) return false
    open(Number(text))
    return true
  }

  /** A frame is whole, and with it perhaps the arrays that it ended. */
  #ended(): true {
    while (this.#open.length > 0) {
      if (--this.#open[this.#open.length - 1]! > 0) return true
      this.#open.pop()
    }
    this.#repliesDue -= 1
    return true
  }
}
