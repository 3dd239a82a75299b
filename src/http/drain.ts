import type { GatedResponse } from './gated-response.js'

type Listener = (...args: unknown[]) => void

/**
 * Makes the function that emits `drain` on the response, for those who wait since a held `write` answered false.
 *
 * A wrapper below, such as compression, may take these listeners off the response, for a stream of its own, which is not in
 * need of a drain when it never saw the write. Where `on` was wrapped, the listeners are therefore noted, and called.
 */
export const drainOf = (res: GatedResponse): (() => void) => {
  const noted = Object.hasOwn(res, 'on') ? noteListeners(res) : []
  return () => {
    const heard = new Set<unknown>(res.rawListeners('drain'))
    res.emit('drain')
    for (const listener of noted) if (!heard.has(listener)) listener.call(res)
  }
}

/** Of the ways to listen, `on` is the one that wrappers wrap; `once` ends in it. */
const noteListeners = (res: GatedResponse): ReadonlySet<Listener> => {
  const noted = new Set<Listener>()
  const on = res.on as (event: string, listener: Listener) => unknown
  Object.assign(res, {
    on(event: string, listener: Listener) {
      if (event === 'drain') noted.add(listener)
      return on.call(res, event, listener)
    }
  })
  return noted
}
