import { sessions, type Sessions } from 'phial'
import { button } from '../forms.js'
import { html, type Html } from '../html.js'
import type { DemoRequest, Page } from '../page.js'
import { shownCode } from '../shown-code.js'

// shown
const give = async (req: DemoRequest) => {
  const { cookies } = sessions(req)
  cookies.set('colour', 'green', { maxAge: 3600 })
  cookies.set('size', { width: 3, height: 4 }, { format: 'json' })
  cookies.set('ticket', { seat: 7 }, { format: 'signed' })
}

const read = ({ cookies }: Sessions) => ({
  colour: cookies.get('colour'),
  size: cookies.get('size', { format: 'json' }),
  // Five minutes later it is too old, whatever the browser says.
  ticket: cookies.get('ticket', { format: 'signed', maxAge: 300 }),
})

const takeBack = async (req: DemoRequest) => {
  const { cookies } = sessions(req)
  for (const name of NAMES) cookies.delete(name)
}
// end

const NAMES = ['colour', 'size', 'ticket'] as const

/** What a visitor who wants another seat could do. */
const forge = async (req: DemoRequest): Promise<void> => {
  const { cookies } = sessions(req)
  const text = cookies.get('ticket')
  if (text !== undefined) cookies.set('ticket', (text.startsWith('A') ? 'B' : 'A') + text.slice(1))
}

const show = async (req: DemoRequest): Promise<Html> => {
  const its = sessions(req)
  const found = read(its)
  return html`<p>Cookies of the application’s own, beside that of the session.</p>
    <dl>${NAMES.map((name) => row(name, its.cookies.get(name), found[name]))}</dl>
    <div class="buttons">
      ${await button(req, '/cookies/give', 'Set all three')}
      ${await button(req, '/cookies/forge', 'Forge the ticket', 'quiet')}
      ${await button(req, '/cookies/delete', 'Delete them', 'quiet')}
    </div>`
}

const row = (name: string, text: string | undefined, value: unknown): Html => html`<div><dt>${name}</dt><dd>
  ${value === undefined ? (text === undefined ? 'none' : html`<b class="bad">not believed</b>`) : html`<code>${JSON.stringify(value)}</code>`}
  ${text === undefined ? '' : html`<br><small>as it came: <code>${text}</code></small>`}</dd></div>`

export const cookies: Page = {
  path: '/cookies',
  title: 'Other cookies',
  about: 'Plain, JSON and signed ones. A signed one that was changed is not believed.',
  code: shownCode('pages/cookies.ts'),
  show,
  actions: { give, forge, delete: takeBack },
}
