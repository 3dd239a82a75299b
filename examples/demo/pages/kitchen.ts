import { button } from '../forms.js'
import { html, type Html } from '../html.js'
import { notice } from '../notice.js'
import type { DemoRequest, Page } from '../page.js'
import { placeOf } from '../place-of.js'
import { shownCode } from '../shown-code.js'

// shown
const brew = async (req: DemoRequest) => {
  const session = await req.session.load()
  const herbs = session.pop('herbs', [])
  if (herbs.length === 0) return
  session.flash(`A tea of ${[...new Set(herbs)].join(' and ')}.`)
  await session.save()
}

const show = async (req: DemoRequest) => {
  const session = await req.session.load()
  const cups = session.flashes().map(({ value }) => notice('success', value))
  const herbs = session.get('herbs', []) // what the garden put there
  return html`${cups}${placeOf(req)}
    ${herbs.length > 0 ? await kettle(req, herbs) : empty}`
}
// end

const kettle = async (req: DemoRequest, herbs: readonly string[]): Promise<Html> => html`<p>On the table: ${herbs.join(', ')}.</p>
  ${await button(req, '/brew', 'Brew a tea')}`

const empty = html`<p>There is nothing to brew. Pick something in the <a href="/garden/">garden</a>.</p>`

export const kitchen: Page = {
  path: '/',
  title: 'Kitchen',
  about: 'The other one. It makes tea of what was picked there.',
  code: [shownCode('pages/kitchen.ts'), shownCode('server.ts', 'applications')],
  show,
  actions: { brew },
}
