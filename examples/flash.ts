// A message that is shown once, on the page that the browser is sent to after a form.
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { withSession } from 'phial'

const app = withSession(async (req, res) => {
  const session = await req.session.load()
  if (req.method === 'POST') {
    session.flash('Your letter is on its way.', { level: 'success' })
    await session.save()
    res.writeHead(303, { Location: '/' }).end()
    return
  }
  const messages = session.flashes().map(({ level, value }) => `<p class="${level}">${value}</p>`) // read, and thereby used up
  res.setHeader('Content-Type', 'text/html; charset=utf-8')
  res.end(`${messages.join('')}<form method="post"><button>Send the letter</button></form>`)
}, {
  secret: randomBytes(32).toString('base64url'), // for trying it out: these sessions end with the program
  secure: 'auto',
})

const port = Number(process.env.PORT ?? 5000)
createServer(app).listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}`))
