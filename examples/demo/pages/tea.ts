import { notifications } from 'phial'
import type { Form } from '../form.js'
import { form } from '../forms.js'
import { html, type Html } from '../html.js'
import { HttpError } from '../http-error.js'
import { notice } from '../notice.js'
import type { DemoRequest, Page } from '../page.js'
import { shownCode } from '../shown-code.js'
import { moment } from '../times.js'

const THINGS: Readonly<Record<string, string>> = { tea: 'The tea is ready', post: 'The post is here', cat: 'The cat wants in' }

// shown
// A session of its own, on a backend of its own.
const notesOf = (req: DemoRequest) =>
  notifications(req, { backend: 'quick', timeout: 600 })

const tell = async (req: DemoRequest, form: Form) => {
  const thing = thingIn(form)
  await notesOf(req).set(thing, Date.now()) // stored when it resolves
}

const show = async (req: DemoRequest) => {
  const waiting = await notesOf(req).keys() // only looked at
  return html`<p>Waiting: ${waiting.join(', ') || 'nothing'}.</p>
    ${waiting.length > 0 ? readThem : ''}${await tellForm(req)}`
}

const read = async (req: DemoRequest) => {
  const taken = await notesOf(req).takeAll() // gone from now on
  return html`${Object.entries(taken).map(shown)}
    <p>That was all. <a href="/tea">Back</a></p>`
}
// end

const readThem = html`<p><a href="/tea/read">Read them</a></p>`

const shown = ([thing, time]: [string, number]): Html => notice('info', html`${THINGS[thing]}: ${moment(time)}`)

const tellForm = (req: DemoRequest): Promise<Html> => form(req, '/tea/tell', html`<h2>Something happens</h2>
  <div class="buttons">${Object.entries(THINGS).map(([thing, words]) => html`<button name="thing" value="${thing}" class="quiet">${words}</button>`)}</div>`)

const thingIn = (form: Form): string => {
  const thing = form.get('thing') ?? ''
  if (!Object.hasOwn(THINGS, thing)) throw new HttpError(400, 'There is no such thing.')
  return thing
}

export const tea: Page = {
  path: '/tea',
  title: 'Notifications',
  about: 'News by name, which wait until they are asked for and are read once.',
  code: shownCode('pages/tea.ts'),
  show,
  also: { read },
  actions: { tell },
}
