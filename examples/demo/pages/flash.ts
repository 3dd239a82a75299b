import type { Form } from '../form.js'
import { button, form } from '../forms.js'
import { html, type Html } from '../html.js'
import { HttpError } from '../http-error.js'
import { notice } from '../notice.js'
import type { DemoRequest, Page } from '../page.js'
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
  return html`${flashes.map(({ value, level }) => notice(level, value))}
    ${flashes.length === 0 ? nothing : loadAgain}
    ${await forms(req)}`
}

// A page that fails has shown its flashes to nobody.
const broken = async (req: DemoRequest) => {
  await req.session.flashes()
  throw new HttpError(500, FAILED)
}
// end

const WORDS = { success: 'Saved, as far as this demo saves anything.', error: 'That did not work. It was not meant to.' }

const FAILED = 'This page read the flash, and failed. So it waits for the next page.'

const nothing = html`<p>No flash is waiting for this page.</p>`
const loadAgain = html`<p>Load the page again: it is gone.</p>`

const forms = async (req: DemoRequest): Promise<Html> => html`
  ${await form(req, '/flash/save', html`
    <button name="level" value="success">Do something</button>
    <button name="level" value="error" class="quiet">Fail at something</button>`, 'buttons')}
  <h2>Not lost</h2>
  <p>What if the page that was to show it breaks?</p>
  ${await button(req, '/flash/save-and-break', 'Do something, then open a page that fails', 'quiet')}`

const saveAndBreak = async (req: DemoRequest, form: Form): Promise<string> => {
  await save(req, form)
  return '/flash/broken'
}

export const flash: Page = {
  path: '/flash',
  title: 'Flash',
  about: 'A line for the next page, after a redirect. It is read once.',
  code: shownCode('pages/flash.ts'),
  show,
  also: { broken },
  actions: { save, 'save-and-break': saveAndBreak },
}
