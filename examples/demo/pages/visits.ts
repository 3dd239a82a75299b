import { csrf } from 'phial'
import { html, Html } from '../html.js'
import type { DemoRequest, Page } from '../page.js'
import { shownCode } from '../shown-code.js'

// shown
const show = async (req: DemoRequest) => {
  const session = await req.session.load()
  const visits = await session.update('visits', (n = 0) => n + 1)
  // Nothing carries the id but what the page does with it.
  const again = `${req.scriptName}/?id=${session.id}`
  const end = `${req.scriptName}/end?id=${session.id}`
  return html`<p class="big">${visits}</p>
    <p>${visits === 1 ? 'visit' : 'visits'} in this session.
      <a href="${again}">Once more</a></p>
    ${new Html(await csrf.form(req, { action: end }))}
      <button class="quiet">End it</button></form>${notes}`
}

const end = (req: DemoRequest) => req.session.destroy()
// end

const notes = html`<h2>Look at the address</h2>
  <p>No cookie takes part: the id stands in the address, and only in the links of this page. <a href="/visits/">Without it</a> you are somebody new.</p>
  <p>Whoever gets to see the address has the session, so this is for few uses. Programs had better send the id in a header:
    <code>use_cookies = false</code> with <code>id_header = X-Session-Id</code>.</p>`

export const visits: Page = {
  path: '/',
  title: 'Without cookies',
  about: 'A part of the site that sets none: the id is in the address.',
  code: [shownCode('pages/visits.ts'), shownCode('id-in-address.ts'), shownCode('server.ts', 'without-cookies')],
  show,
  actions: { end },
}
