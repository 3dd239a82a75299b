import type { Form } from '../form.js'
import { form } from '../forms.js'
import { html, type Html } from '../html.js'
import { HttpError } from '../http-error.js'
import type { DemoRequest, Page } from '../page.js'
import { shownCode } from '../shown-code.js'

const TEXTS: Readonly<Record<string, Text>> = {
  en: { name: 'English', greeting: 'Good day!', today: 'Today is', choose: 'Show this in' },
  de: { name: 'Deutsch', greeting: 'Guten Tag!', today: 'Heute ist', choose: 'Anzeigen auf' },
  fr: { name: 'Français', greeting: 'Bonjour !', today: 'Nous sommes le', choose: 'Afficher en' },
}

interface Text {
  readonly name: string
  readonly greeting: string
  readonly today: string
  readonly choose: string
}

// shown
// Chosen by the visitor, or what the browser asks for.
const languageOf = async (req: DemoRequest) =>
  await req.session.get('lang') ?? preferred(req.headers['accept-language'])

const choose = async (req: DemoRequest, form: Form) => {
  const lang = languageIn(form)
  const session = await req.session.load()
  session.set('lang', lang)
  await session.save()
}

const show = async (req: DemoRequest) => {
  const lang = await languageOf(req)
  const text = TEXTS[lang]!
  const today = new Date().toLocaleDateString(lang, { dateStyle: 'full' })
  return html`<div lang="${lang}"><p class="lead">${text.greeting}</p>
    <p>${text.today} ${today}.</p>${await languages(req, text)}</div>`
}
// end

const preferred = (wanted = ''): string =>
  wanted.split(',').map((one) => one.trim().slice(0, 2).toLowerCase()).find((lang) => Object.hasOwn(TEXTS, lang)) ?? 'en'

const languages = (req: DemoRequest, { choose }: Text): Promise<Html> => form(req, '/language/choose', html`
  <p>${choose}</p>
  <div class="buttons">${Object.entries(TEXTS).map(([lang, { name }]) =>
    html`<button name="lang" value="${lang}" lang="${lang}" class="quiet">${name}</button>`)}</div>`)

const languageIn = (form: Form): string => {
  const lang = form.get('lang') ?? ''
  if (!Object.hasOwn(TEXTS, lang)) throw new HttpError(400, 'That language is not spoken here.')
  return lang
}

export const language: Page = {
  path: '/language',
  title: 'Language',
  about: 'A choice that holds on every page, before one is drawn.',
  code: shownCode('pages/language.ts'),
  show,
  actions: { choose },
}
