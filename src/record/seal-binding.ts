/** What a seal is bound to, as one text: two different triples never give the same. */
export const boundTo = (name: string, purpose: string, context: string): string => JSON.stringify([name, purpose, context])

/** The same as bytes behind a prefix. Those of the last time are kept: all cookies of a manager have one purpose and one context. */
export class BindingBytes {
  readonly #prefix: string
  readonly #name: string
  #last: { readonly purpose: string, readonly context: string, readonly bytes: Buffer } | undefined

  constructor(prefix: string, name: string) {
    this.#prefix = prefix
    this.#name = name
  }

  of(purpose: string, context: string): Buffer {
    if (this.#last?.purpose !== purpose || this.#last.context !== context) {
      this.#last = { purpose, context, bytes: Buffer.from(this.#prefix + boundTo(this.#name, purpose, context)) }
    }
    return this.#last.bytes
  }
}
