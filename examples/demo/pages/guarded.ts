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

/** Nobody else's page knows a token. */
const forged = html`<h2>What others could make</h2>
  <p>The same form, but without a token: nobody else knows one. Your browser sends it with your cookie.</p>
  <form method="post" action="/guarded/send"><button class="quiet">Send a forged letter</button></form>`

export const guarded: Page = {
  path: '/guarded',
  title: 'Forged forms',
  about: 'A form that nobody else can send in your name: it carries a token of your session.',
  code: [shownCode('pages/guarded.ts'), shownCode('application.ts', 'guard')],
  show,
  actions: { send },
}
