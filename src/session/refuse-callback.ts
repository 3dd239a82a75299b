/** A callback would never be called, and who waits for it would wait for ever. It is thrown, since who gives one does not look at the promise. */
export const refuseCallback = (method: string, argument: unknown): void => {
  if (typeof argument === 'function') throw new TypeError(`session.${method}() answers a promise: await it; a callback is never called`)
}
