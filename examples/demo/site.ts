import type { ServerResponse } from 'node:http'
import { SessionError, type SessionManager } from 'phial'
import { pageAnswer, redirect, send, type Answer } from './answer.js'
import { assets } from './assets.js'
import { readForm } from './form.js'
import { html } from './html.js'
import { HttpError } from './http-error.js'
import { layout } from './layout.js'
import type { DemoData, DemoRequest, Page } from './page.js'
import { basic } from './pages/basic.js'
import { cart } from './pages/cart.js'
import { counter } from './pages/counter.js'
import { details } from './pages/details.js'
import { home } from './pages/home.js'
import { login } from './pages/login.js'
import { findRoute, type Route } from './router.js'

/** The whole site: a handler for `withSession`. */
export const site = (manager: SessionManager<DemoData>): ((req: DemoRequest, res: ServerResponse) => Promise<void>) => {
  const pages = [counter, basic, cart, login(manager), details]
  const routes = new Map<string, Route>([...assets, ...[home(pages), ...pages].flatMap((page) => routesOf(page, pages))])

  const answerTo = async (req: DemoRequest): Promise<Answer> => {
    try {
      return await findRoute(routes, req)(req)
    } catch (error) {
      return errorAnswer(error, pages)
    }
  }

  return async (req, res) => send(res, await answerTo(req))
}

const routesOf = ({ path, title, code, show, actions = {} }: Page, pages: readonly Page[]): [path: string, Route][] => [
  [path, { GET: async (req) => pageAnswer(layout(pages, path, title, html`${await show(req)}${code}`)) }],
  ...Object.entries(actions).map(([name, act]): [string, Route] => [`${path}/${name}`, {
    POST: async (req) => {
      await act(req, await readForm(req))
      return redirect(path)
    },
  }]),
]

/** phial's own errors are answered by phial: 503 when the store did not confirm, 409 when the session ended meanwhile. */
const errorAnswer = (error: unknown, pages: readonly Page[]): Answer => {
  if (error instanceof SessionError) throw error
  if (!(error instanceof HttpError)) console.error(error)
  const shown = error instanceof HttpError ? error : new HttpError(500, 'Something went wrong here.')
  const content = html`<p>${shown.message}</p><p><a href="/">Back to the start</a></p>`
  return pageAnswer(layout(pages, undefined, shown.title, content), shown.status, shown.headers)
}
