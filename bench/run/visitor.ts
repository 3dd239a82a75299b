export interface Answer {
  readonly status: number
  readonly text: string
  readonly setsCookie: boolean
}

/** A browser, as far as one is needed: keeps the cookies that it is given and sends them, whatever their attributes. */
export class Visitor {
  readonly #cookies: Map<string, string>
  readonly #url: string

  constructor(url: string, cookies: ReadonlyMap<string, string> = new Map()) {
    this.#url = url
    this.#cookies = new Map(cookies)
  }

  /** What it sends as `Cookie`. */
  get cookie(): string {
    return Array.from(this.#cookies, ([name, value]) => `${name}=${value}`).join('; ')
  }

  async get(path: string): Promise<Answer> {
    const response = await fetch(new URL(path, this.#url), { headers: this.#cookies.size > 0 ? { cookie: this.cookie } : {} })
    const lines = response.headers.getSetCookie()
    for (const line of lines) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!
      this.#cookies.set(name!, value!)
    }
    return { status: response.status, text: await response.text(), setsCookie: lines.length > 0 }
  }

  /** Another one with the same cookies. */
  copy(): Visitor {
    return new Visitor(this.#url, this.#cookies)
  }

  /** One whose cookies somebody has changed. */
  forged(): Visitor {
    return new Visitor(this.#url, new Map(Array.from(this.#cookies, ([name, value]) => [name, withOtherMiddle(value)])))
  }
}

const withOtherMiddle = (value: string): string => {
  const middle = value.length >> 1
  return `${value.slice(0, middle)}${value[middle] === 'A' ? 'B' : 'A'}${value.slice(middle + 1)}`
}
