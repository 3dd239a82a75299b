import { html, type Html } from './html.js'
import type { DemoRequest } from './page.js'

/** What an application sees of where it is. */
export const placeOf = ({ originalUrl, scriptName, url }: DemoRequest): Html =>
  html`<p>You asked for <code>${originalUrl}</code>. This application was told <code>${url}</code>, and that it is below <code>${scriptName}</code>.</p>`
