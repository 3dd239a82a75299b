import { messages, type Message } from 'phial'
import type { Form } from '../form.js'
import { form } from '../forms.js'
import { html, type Html } from '../html.js'
import { notice } from '../notice.js'
import type { DemoRequest, Page } from '../page.js'
import { shownCode } from '../shown-code.js'

// shown
const send = async (req: DemoRequest, form: Form): Promise<Html | void> => {
  const page = await messages(req)
  const letter = form.get('letter')?.trim()
  if (!letter) {
    page.formError('A letter without words is not sent.')
    return show(req) // the same page again, with its errors
  }
  const body = `It has ${letter.length} characters.`
  const sent = { level: 'success', title: 'Sent', body, life: 5000 }
  page.add(sent, { flash: true }) // for the next page, so save it
  await req.session.save()
}

const show = async (req: DemoRequest) => {
  const page = await messages(req)
  if (isLate()) page.add({ level: 'alert', body: 'The post leaves at six.' })
  page.add({ level: 'info', body: 'Letters are not kept here.' })
  return html`${page.list.map(shown)}${await letterForm(req)}`
}
// end

const isLate = (): boolean => new Date().getHours() >= 17

/** `life` is for a script, of which this site has none. */
const shown = ({ level, title, body }: Message): Html => notice(level, html`${title === null ? '' : html`<b>${title}.</b> `}${body}`)

const letterForm = (req: DemoRequest): Promise<Html> => form(req, '/letters/send', html`
  <label>Letter <input name="letter" maxlength="200" autocomplete="off"></label>
  <button>Send it</button>`, 'buttons')

export const letters: Page = {
  path: '/letters',
  title: 'Messages',
  about: 'One list of what a page has to say, with levels: from this request, and from the one before.',
  code: shownCode('pages/letters.ts'),
  show,
  actions: { send },
}
