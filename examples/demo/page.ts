import type { SessionRequest } from 'phial'
import type { Form } from './form.js'
import type { Html } from './html.js'

/** What this site keeps in a session. */
export interface DemoData {
  visits: number
  foo: string
  products: readonly string[]
}

export type DemoRequest = SessionRequest<DemoData>

/** A page and what its forms do. After each of these the browser is sent back to the page. */
export interface Page {
  readonly path: string
  readonly title: string
  /** One sentence. */
  readonly about: string
  /** The lines that make it. */
  readonly code: Html
  readonly show: (req: DemoRequest) => Html | Promise<Html>
  /** By the last part of the path that the form is sent to: `add` is `/cart/add`. */
  readonly actions?: Readonly<Record<string, (req: DemoRequest, form: Form) => Promise<void>>>
}
