import type { Flash } from 'phial'
import type { Form } from '../form.js'
import { button, form } from '../forms.js'
import { html, type Html } from '../html.js'
import { HttpError } from '../http-error.js'
import { notice } from '../notice.js'
import type { Act, DemoRequest, Page } from '../page.js'
import { shownCode } from '../shown-code.js'

// shown
const save = async (req: DemoRequest, form: Form) => {
  const session = await req.session.load()
  const level = form.get('level') === 'error' ? 'error' : 'success'
  session.flash(WORDS[level], { level })
  await session.save() // then the browser is sent to the page
}

const show = async (req: DemoRequest) => {
  const session = await req.session.load()
  const flashes = session.flashes() // read once: they are gone
  return html`${flashes.map(shown)}
    ${flashes.length === 0 ? nothing : loadAgain}
    ${await forms(req)}`
}

// A page that fails has shown its flashes to nobody.
const broken = async (req: DemoRequest) => {
  await req.session.flashes()
  throw new HttpError(500, FAILED)
}

// This one leaves them for the next.
const kept = async (req: DemoRequest) => {
  const session = await req.session.load()
  const flashes = session.flashes()
  session.keepFlashes()
  return html`${flashes.map(shown)}${keptWords}`
}

// For the page of this request: never stored.
const now = async (req: DemoRequest) => {
  const session = await req.session.load()
  session.flash('For this page alone.', { now: true })
  return html`${session.flashes().map(shown)}${back}`
}

// A list of its own, for the page that asks for it.
const whisper = async (req: DemoRequest) => {
  const session = await req.session.load()
  session.flash('Between you and me.', { key: 'aside' })
  await session.save()
}

const aside = async (req: DemoRequest) => {
  const flashes = await req.session.flashes('aside')
  return html`${flashes.map(shown)}${flashes.length === 0 ? silence : ''}${back}`
}
// end

const shown = ({ level, value }: Flash): Html => notice(level, value)

const WORDS = { success: 'Saved, as far as this demo saves anything.', error: 'That did not work. It was not meant to.' }

const FAILED = 'This page read the flash, and failed. So it waits for the next page.'

const nothing = html`<p>No flash is waiting for this page.</p>`
const loadAgain = html`<p>Load the page again: it is gone.</p>`
const keptWords = html`<p>Read here, and kept. <a href="/flash">To the next page</a></p>`
const silence = html`<p>Nothing was said aside.</p>`
const back = html`<p><a href="/flash">Back</a></p>`

const forms = async (req: DemoRequest): Promise<Html> => html`
  ${await form(req, '/flash/save', html`
    <button name="level" value="success">Do something</button>
    <button name="level" value="error" class="quiet">Fail at something</button>`, 'buttons')}
  <h2>Not lost</h2>
  <p>What if the page that was to show it breaks? Or wants to leave it for the next?</p>
  <div class="buttons">
    ${await button(req, '/flash/save-and-break', 'Do something, then open a page that fails', 'quiet')}
    ${await button(req, '/flash/save-and-keep', 'Do something, then open a page that keeps it', 'quiet')}
  </div>
  <h2>Without waiting</h2>
  <p>A page may have <a href="/flash/now">one for itself</a>.</p>
  <h2>Aside</h2>
  <p>Whispers wait on a list of their own, until <a href="/flash/aside">they are asked for</a>.</p>
  ${await button(req, '/flash/whisper', 'Whisper', 'quiet')}`

const saveAndOpen = (path: string): Act => async (req, form) => {
  await save(req, form)
  return path
}

export const flash: Page = {
  path: '/flash',
  title: 'Flash',
  about: 'A line for the next page, after a redirect. It is read once.',
  code: shownCode('pages/flash.ts'),
  show,
  also: { broken, kept, now, aside },
  actions: { save, 'save-and-break': saveAndOpen('/flash/broken'), 'save-and-keep': saveAndOpen('/flash/kept'), whisper },
}
