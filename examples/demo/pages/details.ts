import { html, type Content, type Html } from '../html.js'
import type { DemoRequest, Page } from '../page.js'
import { shownCode } from '../shown-code.js'
import { moment } from '../times.js'

type Row = readonly [name: Content, value: Content]

const show = async (req: DemoRequest): Promise<Html> => {
  // shown
  // Reading keeps nothing: who has no session gets none, and no cookie.
  const session = await req.session.load()
  const facts: Row[] = [
    ['Made', moment(session.createdAt)],
    ['Last used', moment(session.lastAccessedAt)],
    ['Expires', moment(session.expiresAt)],
    ['Belongs to', session.owner ?? 'nobody'],
  ]
  const values = [...session].map(([key, value]): Row =>
    [inCode(key), inCode(JSON.stringify(value))])
  // end

  if (session.isNew) return none
  return html`${list(facts)}
    <h2>What is in it</h2>${values.length === 0 ? html`<p>Nothing.</p>` : list(values)}
    <p><small>Its id is not shown: who has it has the session.</small></p>`
}

const inCode = (text: string): Html => html`<code>${text}</code>`

const none = html`<p>You have no session yet. It begins when a page has something to keep for you:
  <a href="/counter">be counted</a>.</p>`

const list = (rows: readonly Row[]): Html =>
  html`<dl>${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`

export const details: Page = {
  path: '/session',
  title: 'Session',
  about: 'What is kept of you, since when and until when.',
  code: shownCode('pages/details.ts'),
  show,
}
