import { sessions } from 'phial'
import type { Form } from '../form.js'
import { button, form } from '../forms.js'
import { html, type Html } from '../html.js'
import type { DemoRequest, Page } from '../page.js'
import { shownCode } from '../shown-code.js'

const MONTH = 30 * 86_400

// shown
const POCKET = { backend: 'cookie', cookieExpires: MONTH }

const notesOf = (req: DemoRequest) => [
  sessions(req).get<Note>(), // the default one: req.session
  sessions(req).get<Note>('desk', { backend: 'quick', timeout: 600 }),
  sessions(req).get<Note>('pocket', POCKET),
]

const save = async (req: DemoRequest, form: Form) => {
  for (const [index, session] of notesOf(req).entries()) {
    const note = form.get(`note${index}`)?.slice(0, 100) ?? ''
    const before = await session.get('note', '')
    if (note !== before) await session.set('note', note)
  }
  await sessions(req).save() // those that were changed
}

const clear = async (req: DemoRequest) => {
  for (const session of notesOf(req).slice(1)) await session.destroy()
}
// end

interface Note {
  note: string
}

const PLACES = [
  ['Shelf', 'The default session, as it is set in development.ini. It ends a day after it was last used.'],
  ['Desk', 'In the server’s memory. It ends after ten minutes, or when the server does.'],
  ['Pocket', 'In the cookie itself, for thirty days. The server keeps nothing of it.'],
] as const

const show = async (req: DemoRequest): Promise<Html> => {
  const notes = await Promise.all(notesOf(req).map((session) => session.get('note', '')))
  return html`<p>Three sessions in one request. Each has a cookie and a life of its own.</p>
    ${await form(req, '/named/save', html`${PLACES.map(([place, about], index) => html`<div class="field">
      <label for="note${index}">${place}</label>
      <input id="note${index}" name="note${index}" value="${notes[index]}" maxlength="100" autocomplete="off" aria-describedby="about${index}">
      <small id="about${index}">${about}</small></div>`)}
    <button>Save the notes</button>`)}
    <h2>Clear up</h2>
    ${await button(req, '/named/clear', 'Clear desk and pocket', 'quiet')}`
}

export const named: Page = {
  path: '/named',
  title: 'Several sessions',
  about: 'Three by name, on three backends, each with a life of its own.',
  code: shownCode('pages/named.ts'),
  show,
  actions: { save, clear },
}
