import type { MappedRequest, SessionRequest } from 'phial'
import type { Form } from './form.js'
import type { Content, Html } from './html.js'

/** What this site keeps in a session. */
export interface DemoData {
  visits: number
  foo: string
  products: readonly string[]
  letters: number
  lang: string
  note: string
  herbs: readonly string[]
}

export type DemoRequest = SessionRequest<DemoData> & MappedRequest

export type Show = (req: DemoRequest) => Html | Promise<Html>

/** What a form does. Then the browser is sent back to the page, or to the path that is answered; HTML is the page of a form that is not right yet. */
export type Act = (req: DemoRequest, form: Form) => Promise<string | Html | void>

/** A page and what its forms do. */
export interface Page {
  /** In its application. */
  readonly path: string
  readonly title: string
  /** One sentence. */
  readonly about: string
  /** The lines that make it. */
  readonly code: Content
  readonly show: Show
  /** Pages that belong to it, by the last part of their path. */
  readonly also?: Readonly<Record<string, Show>>
  /** By the last part of the path that the form is sent to: `add` is `/cart/add`. */
  readonly actions?: Readonly<Record<string, Act>>
}
