import { inspect } from 'node:util'

/** How objects of a class print in logs: `show` says what may be seen, so that ids, secrets and data never are. */
export const showAs = <T extends object>(shown: { readonly prototype: T }, show: (object: T) => string): void => {
  Object.defineProperty(shown.prototype, inspect.custom, {
    configurable: true,
    value(this: T) {
      return show(this)
    },
  })
}
