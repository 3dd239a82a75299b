import { csrf } from 'phial'
import { html, Html, type Content } from './html.js'
import type { DemoRequest } from './page.js'

/** A form of the site's, with a token of the session's. What changes something is a form: links only read. */
export const form = async (req: DemoRequest, action: string, content: Content, kind?: string): Promise<Html> =>
  html`${new Html(await csrf.form(req, { action: req.scriptName + action, class: kind }))}${content}</form>`

/** A form of one button. */
export const button = (req: DemoRequest, action: string, label: Content, kind = ''): Promise<Html> =>
  form(req, action, html`<button class="${kind}">${label}</button>`)
