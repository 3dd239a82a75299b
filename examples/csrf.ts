// A form that only this site's own pages can send: a forged one is answered with 403.
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { csrf, withSession } from 'phial'

const app = withSession<{ sent: string[] }>(csrf.guard(async (req, res) => {
  if (req.method === 'POST') {
    const form = new URLSearchParams(await text(req)) // the guard looked for its token in it, and put it back
    await req.session.update('sent', (sent = []) => [...sent, form.get('to') ?? 'nobody'].slice(-10))
    res.writeHead(303, { Location: '/' }).end()
    return
  }
  const sent = await req.session.get('sent', [])
  res.setHeader('Content-Type', 'text/html; charset=utf-8').setHeader('Cache-Control', 'no-store')
  res.end(`<p>Letters sent: ${sent.length}</p>${await csrf.form(req, { action: '/' })}<input name="to"><button>Send one</button></form>`)
}), {
  secret: randomBytes(32).toString('base64url'), // for trying it out: these sessions end with the program
  secure: 'auto',
})

const port = Number(process.env.PORT ?? 5000)
createServer(app).listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}`))
