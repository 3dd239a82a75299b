import { html, type Content, type Html } from './html.js'

/** What a page tells its reader. Screen readers say it when the page is there; an error at once. */
export const notice = (level: string | null, content: Content): Html =>
  html`<p class="notice ${level ?? ''}" role="${level === 'error' ? 'alert' : 'status'}">${content}</p>`
