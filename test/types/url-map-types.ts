// Compiled with the tests and never run: what stands under @ts-expect-error must not compile.
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { urlMap, withCurrentSession, withSession } from '../../src/index.js'
import type { MappedRequest, SessionRequest } from '../../src/index.js'

interface Shop {
  visits: number
  name?: string
}

const broker = async (req: SessionRequest<Shop> & MappedRequest, res: ServerResponse): Promise<void> => {
  const path: string = req.scriptName + req.url!
  res.end(`${path} ${await req.session.get('visits')}`)
}
const home = async (req: SessionRequest<Shop>, res: ServerResponse): Promise<void> => {
  res.end(await req.session.get('name'))
}
const bare = (_req: IncomingMessage, res: ServerResponse): unknown => res.end()

const shops = withSession(urlMap({ '/': home, '/broker': broker, '/bare': bare }), {})
createServer(shops)
createServer(urlMap({ '/': shops, '/bare': bare }))
createServer(withSession<Shop>(urlMap({ '/': home, '/nested': urlMap({ '/broker': broker }) }), {}))

createServer(withSession<Shop>(urlMap({
  '/': async (req, res) => {
    const visits: number | undefined = await req.session.get('visits')
    // @ts-expect-error a key that the data does not have
    await req.session.get('visit')
    res.end(req.originalUrl + req.scriptName + visits)
  },
}), {}))

createServer(withSession(urlMap({ '/': async (req, res) => res.end(req.scriptName + await req.session.get('theme', 'light')) }), {}))
createServer(withSession(withCurrentSession(urlMap({ '/': async (req, res) => res.end(await req.session.get('theme')) })), {}))

const http2Map = withSession(urlMap({
  '/': async (req: SessionRequest<Shop, 'session', Http2ServerRequest>, res: Http2ServerResponse) => {
    res.stream.close()
    await req.session.get('visits')
  },
}), {})

// @ts-expect-error without a session around them there is none on the request
createServer(urlMap({ '/': home }))
// @ts-expect-error a prefix leads to a handler
urlMap({ '/': 'home' })
void http2Map
