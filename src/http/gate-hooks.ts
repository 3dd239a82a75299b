import type { FailureAnswer } from './failure-answer.js'
import type { GatedResponse } from './gated-response.js'
import type { HeaderEdits } from './header-edits.js'

/** What a gate asks of, and tells, the one who put it on. */
export interface GateHooks {
  /**
   * The handler's first `writeHead`, `flushHeaders`, `write` or `end`, with the status that will be sent. Called once.
   * The response is held until a promise returned is settled.
   */
  beforeHead(statusCode: number): Promise<unknown> | undefined
  /** The handler called `end`. Called once, after `beforeHead` when both are due; holds like it. */
  beforeEnd(): Promise<unknown> | undefined
  /** The calls that were held are about to be made, since nothing failed: they are held until a promise returned is settled too. Called before each release. */
  beforeRelease?(): Promise<unknown> | undefined
  /** The same, when no gate of the response had anything more to do before: what is not to be done for a response that fails. */
  afterSaves?(): Promise<unknown> | undefined
  /**
   * The handler's head leaves now: what is to be merged into it. Called at the last moment; again only if `writeHead` refused
   * that head; never for the answer to a failure.
   */
  headers(): readonly HeaderEdits[]
  /** The same for the answer to a failure, whichever gate that came from. */
  failureHeaders?(): readonly HeaderEdits[]
  /**
   * The answer to a failure, or `undefined` when the application has given one itself. It gives it on `raw`: calls on the
   * response are the handler's, which may still be at it, and are swallowed.
   */
  answer(error: Error, raw: GatedResponse): FailureAnswer | undefined | Promise<FailureAnswer | undefined>
  /** The handler's promise, where it answered one. */
  working?(): Promise<unknown> | undefined
  /** The exchange is over: the response is complete, or its connection was closed before that, or it failed. Called once. */
  over(how: 'finish' | 'abort' | 'failed'): void
}
