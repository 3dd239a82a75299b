import type { Form } from '../form.js'
import { form } from '../forms.js'
import { html, type Html } from '../html.js'
import { HttpError } from '../http-error.js'
import type { DemoRequest, Page } from '../page.js'
import { placeOf } from '../place-of.js'
import { shownCode } from '../shown-code.js'

const HERBS = ['Mint', 'Sage', 'Thyme', 'Lemon balm']
const MOST = 12

// shown
const pick = async (req: DemoRequest, form: Form) => {
  const herb = herbIn(form)
  await req.session.update('herbs', (herbs = []) =>
    [...herbs, herb].slice(-MOST))
}

const show = async (req: DemoRequest) => {
  const herbs = await req.session.get('herbs', [])
  return html`${placeOf(req)}
    <p>In your basket: ${herbs.join(', ') || 'nothing'}.
      It is there in the <a href="/kitchen/">kitchen</a>, too.</p>
    ${await beds(req)}`
}
// end

const beds = (req: DemoRequest): Promise<Html> => form(req, '/pick', html`<div class="buttons">${HERBS.map((herb) =>
  html`<button name="herb" value="${herb}" class="quiet">${herb}</button>`)}</div>`)

const herbIn = (form: Form): string => {
  const herb = form.get('herb') ?? ''
  if (!HERBS.includes(herb)) throw new HttpError(400, 'That does not grow here.')
  return herb
}

export const garden: Page = {
  path: '/',
  title: 'Garden',
  about: 'One of two applications under one session. Herbs are picked here.',
  code: [shownCode('pages/garden.ts'), shownCode('server.ts', 'applications')],
  show,
  actions: { pick },
}
