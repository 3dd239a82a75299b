import type { Socket } from 'node:net'
import { writeAnswer, type FailureAnswer } from './failure-answer.js'
import { isHttp1, type GatedResponse } from './gated-response.js'

type Decision = FailureAnswer | undefined

/**
 * Gives another answer than the handler's, whose head has not left, and of which nothing stays. The application may give it itself,
 * and then decides on `undefined`; where it fails at that, the answer is the generic one.
 */
export const replaceAnswer = (
  raw: GatedResponse,
  decide: (raw: GatedResponse) => Decision | Promise<Decision>,
  generic: FailureAnswer
): void => {
  const send = (answer: Decision): void => sendAnswer(raw, answer)
  const fallBack = (): void => send(generic)
  clearHead(raw)
  try {
    const answer = decide(raw)
    if (answer instanceof Promise) answer.then(send, fallBack)
    else send(answer)
  } catch {
    fallBack()
  }
}

const sendAnswer = (raw: GatedResponse, answer: Decision): void => {
  if (answer === undefined || raw.writableEnded) return
  try {
    clearHead(raw)
    writeAnswer(raw, answer)
  } catch {
    // The application began an answer of its own and failed at it, or a wrapper below us did.
    cut(raw)
  }
}

/** Takes back what was prepared: every header, and the status message. */
const clearHead = (res: GatedResponse): void => {
  for (const name of res.getHeaderNames()) res.removeHeader(name)
  // To remove `Date` is to say that none is wanted.
  res.sendDate = true
  if (isHttp1(res)) res.statusMessage = ''
}

/**
 * Ends the connection, in HTTP/2 the stream, with a reset: a plain close is how a body ends that has neither a length nor
 * chunks (HTTP/1.0), and the client would take it for complete.
 */
export const cut = (res: GatedResponse): void => {
  if (!isHttp1(res)) return res.stream.close(internalError)
  // It waits for its turn, on a connection that others use: later releases of Node would forget to close that.
  if (res.socket === null) res.once('socket', (socket: Socket) => socket.destroy())
  try {
    res.socket?.resetAndDestroy()
  } catch {
    // Only a bare TCP socket can be reset: TLS has an end of its own, and misses it.
  }
  res.destroy()
}

/** INTERNAL_ERROR (RFC 9113, section 7). */
const internalError = 2
