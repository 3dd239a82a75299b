import { button } from '../forms.js'
import { html } from '../html.js'
import type { DemoRequest, Page } from '../page.js'
import { shownCode } from '../shown-code.js'

// shown
const show = async (req: DemoRequest) => {
  const session = await req.session.load()
  const value = session.get('foo')
  if (value !== undefined) {
    return html`<p>Session has a value stored for “foo”: ${value}</p>
      ${await button(req, '/basic/delete', 'Delete the session')}`
  }
  session.set('foo', 'bar')
  await session.save() // nothing is kept without it
  return html`<p>Session was not set!</p>
    <p>Now it is: <a href="/basic">look again</a>.</p>`
}

// The whole session, with cart and log-in; its cookie goes too.
const remove = (req: DemoRequest) => req.session.destroy()
// end

export const basic: Page = {
  path: '/basic',
  title: 'Basics',
  about: 'A value that is set when you first come and found when you come again.',
  code: shownCode('pages/basic.ts'),
  show,
  actions: { delete: remove },
}
