/**
 * `NAMESPACE:KEY` is a record, `NAMESPACE:owner.OWNER` an owner's set, `NAMESPACE:lock.KEY` a lease. What stands behind the last colon
 * tells which, so that no namespace is taken for a part of another, colons in their names included.
 */
export class KeyNames {
  readonly #namespace: string

  constructor(namespace: string) {
    this.#namespace = namespace
  }

  record(key: string): string {
    return `${this.#namespace}:${key}`
  }

  owner(owner: string): string {
    return `${this.#namespace}:owner.${owner}`
  }

  lock(key: string): string {
    return `${this.#namespace}:lock.${key}`
  }

  /** For SCAN: all records of this namespace, and little else. */
  get pattern(): string {
    return `${this.#namespace.replaceAll(/[\\*?[\]]/g, String.raw`\$&`)}:${'?'.repeat(64)}`
  }

  /** The key of a record of this namespace, `undefined` for anything else. */
  keyIn(name: string): string | undefined {
    const key = name.slice(-64)
    return name.length === this.#namespace.length + 65 && name.startsWith(`${this.#namespace}:`) && /^[0-9a-f]{64}$/.test(key) ? key : undefined
  }
}
