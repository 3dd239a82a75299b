import { csrf } from 'phial'
import { html, Html } from '../html.js'
import type { DemoRequest, Page } from '../page.js'
import { shownCode } from '../shown-code.js'

// shown
const show = async (req: DemoRequest) => {
  const letters = await req.session.get('letters', 0)
  const form = await csrf.form(req, { action: '/guarded/send' })
  return html`<p class="big">${letters}</p><p>Letters sent so far.</p>
    ${new Html(form)}<button>Send a letter</button></form>
    ${forged}`
}

const send = async (req: DemoRequest) => {
  await req.session.update('letters', (n = 0) => n + 1)
}
// end

/** A page of another site knows no token. */
const forged = html`<h2>What another site could make</h2>
  <p>The same form without its token. Your browser sends your cookie along all the same.</p>
  <form method="post" action="/guarded/send"><button class="quiet">Send a forged letter</button></form>`

export const guarded: Page = {
  path: '/guarded',
  title: 'Forged forms',
  about: 'A form that nobody else can send in your name: it carries a token of your session.',
  code: [shownCode('pages/guarded.ts'), shownCode('application.ts', 'guard')],
  show,
  actions: { send },
}
