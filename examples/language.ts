// What is read before each page (Pylons' __before__): the language that the visitor chose. Try /?lang=de
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { withSession, type Session } from 'phial'

const greetings = { en: 'Good day', de: 'Guten Tag', fr: 'Bonjour' }
type Language = keyof typeof greetings
interface Visitor { lang: Language }

const isLanguage = (text: string | null): text is Language => text !== null && Object.hasOwn(greetings, text)

const before = async (session: Session<Visitor>, query: URLSearchParams): Promise<Language> => {
  const chosen = query.get('lang')
  if (isLanguage(chosen)) {
    session.set('lang', chosen)
    await session.save()
  }
  return session.get('lang', 'en')
}

const app = withSession<Visitor>(async (req, res) => {
  const lang = await before(await req.session.load(), new URLSearchParams(req.url?.split('?')[1]))
  res.setHeader('Content-Type', 'text/plain; charset=utf-8').setHeader('Content-Language', lang)
  res.end(`${greetings[lang]}!\n`)
}, {
  secret: randomBytes(32).toString('base64url'), // for trying it out: these sessions end with the program
  secure: 'auto',
})

const port = Number(process.env.PORT ?? 5000)
createServer(app).listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}`))
