// Several applications under one session, each below a prefix of its own: what one keeps, the other sees.
import { randomBytes } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import { urlMap, withSession, type SessionRequest } from 'phial'

type Request = SessionRequest<{ seen: string[] }>

const home = async (req: Request, res: ServerResponse): Promise<void> => {
  const seen = await req.session.get('seen', [])
  res.end(`You asked the broker about: ${seen.join(', ') || 'nothing'}\n`)
}

const broker = async (req: Request, res: ServerResponse): Promise<void> => {
  const thing = req.url!.slice(1) // without the prefix: that is in req.scriptName
  await req.session.update('seen', (seen = []) => [...seen, thing].slice(-10))
  res.end(`The broker knows all about ${thing}.\n`)
}

const app = withSession(urlMap({ '/': home, '/broker': broker }), {
  secret: randomBytes(32).toString('base64url'), // for trying it out: these sessions end with the program
  secure: 'auto',
})

const port = Number(process.env.PORT ?? 5000)
createServer(app).listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}/broker/gold`))
