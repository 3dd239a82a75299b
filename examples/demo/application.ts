import type { ServerResponse } from 'node:http'
import { csrf, CsrfError, SessionError } from 'phial'
import { pageAnswer, redirect, send, type Answer } from './answer.js'
import { readForm } from './form.js'
import { html, Html } from './html.js'
import { HttpError } from './http-error.js'
import { layout, type Group } from './layout.js'
import type { Act, DemoRequest, Page, Show } from './page.js'
import { findRoute, type Route, type Routes } from './router.js'

export type Application = (req: DemoRequest, res: ServerResponse) => Promise<void>

/** A handler of pages, for `withSession`. `urlMap` may put it anywhere: its links begin with the request's `scriptName`. */
export const application = (pages: readonly Page[], menu: readonly Group[], others: Routes = new Map()): Application => {
  const routes: Routes = new Map([...others, ...pages.flatMap((page) => routesOf(page, menu))])

  const answer = async (req: DemoRequest, res: ServerResponse): Promise<void> => send(res, await findRoute(routes, req)(req))

  // shown guard
  // Forms come in with a token of their session, or not at all.
  const guarded = csrf.guard(answer)

  return async (req, res) => {
    try {
      await guarded(req, res)
    } catch (error) {
      send(res, errorAnswer(error, menu, backFrom(req, routes)))
    }
  }
  // end
}

const routesOf = ({ path, title, code, show, also = {}, actions = {} }: Page, menu: readonly Group[]): [path: string, Route][] => {
  const draw = (req: DemoRequest, content: Html, status?: number): Answer =>
    pageAnswer(layout(menu, req.scriptName + path, title, html`${content}${code}`), status)
  const shown = (show: Show): Route => ({ GET: async (req) => draw(req, await show(req)) })
  const done = (act: Act): Route => ({
    POST: async (req) => {
      const result = await act(req, await readForm(req))
      return result instanceof Html ? draw(req, result, 422) : redirect(req.scriptName + (result ?? path))
    },
  })
  return [
    [path, shown(show)],
    ...Object.entries(also).map(([name, show]): [string, Route] => [below(path, name), shown(show)]),
    ...Object.entries(actions).map(([name, act]): [string, Route] => [below(path, name), done(act)]),
  ]
}

const below = (path: string, name: string): string => `${path.replace(/\/$/, '')}/${name}`

/** The page that a path stands below, if there is one. */
const backFrom = ({ url = '', scriptName }: DemoRequest, routes: Routes): string => {
  const parent = url.split('?', 1)[0]!.replace(/\/[^/]*$/, '') || '/'
  return scriptName + (routes.has(parent) ? parent : '/')
}

/** phial's own errors are answered by phial: 503 when the store did not confirm, 409 when the session ended meanwhile. A refused form gets a page. */
const errorAnswer = (error: unknown, menu: readonly Group[], back: string): Answer => {
  const { title, message, status, headers } = httpErrorOf(error)
  const content = html`<p class="notice error" role="alert">${message}</p><p><a href="${back}">Back</a></p>`
  return pageAnswer(layout(menu, undefined, title, content), status, headers)
}

const httpErrorOf = (error: unknown): HttpError => {
  if (error instanceof HttpError) return error
  if (error instanceof CsrfError) return new HttpError(403, error.message)
  if (error instanceof SessionError) throw error
  console.error(error)
  return new HttpError(500, 'Something went wrong here.')
}
