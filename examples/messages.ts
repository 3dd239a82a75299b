// One list of messages on each page: those of this request, and those that an earlier one left for it.
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { messages, withSession, type Message } from 'phial'

const shown = ({ level, title, body, life }: Message): string =>
  `<p class="${level}"${life === null ? '' : ` data-life="${life}"`}>${title === null ? '' : `<b>${title}</b> `}${body}</p>`

const app = withSession(async (req, res) => {
  const page = await messages(req)
  const letter = req.method === 'POST' ? new URLSearchParams(await text(req)).get('letter') : undefined
  if (letter) {
    page.add({ level: 'success', title: 'Sent', body: 'Your letter is on its way.', life: 5000 }, { flash: true }) // for the next page
    await req.session.save()
    res.writeHead(303, { Location: '/' }).end()
    return
  }
  if (letter === '') page.formError('A letter without words is not sent.') // for this one
  res.setHeader('Content-Type', 'text/html; charset=utf-8')
  res.end(`${page.list.map(shown).join('')}<form method="post"><input name="letter"><button>Send the letter</button></form>`)
}, {
  secret: randomBytes(32).toString('base64url'), // for trying it out: these sessions end with the program
  secure: 'auto',
})

const port = Number(process.env.PORT ?? 5000)
createServer(app).listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}`))
