import { html } from '../html.js'
import type { DemoRequest, Page } from '../page.js'
import { shownCode } from '../shown-code.js'

// shown
const show = async (req: DemoRequest) => {
  // Atomic: many tabs that load at once are all counted.
  const visits = await req.session.update('visits', (n = 0) => n + 1)
  const word = visits === 1 ? 'visit' : 'visits'
  return html`<p class="big">${visits}</p>
    <p>${word} to this page. Load it again.</p>`
}
// end

export const counter: Page = {
  path: '/counter',
  title: 'Counter',
  about: 'Counts how often you came.',
  code: shownCode('pages/counter.ts'),
  show,
}
