import type { Answer } from './answer.js'
import { HttpError } from './http-error.js'
import type { DemoRequest } from './page.js'

export type Respond = (req: DemoRequest) => Answer | Promise<Answer>

/** What answers at a path. HEAD is GET without the body, which Node leaves away. */
export interface Route {
  readonly GET?: Respond
  readonly POST?: Respond
}

export type Routes = ReadonlyMap<string, Route>

/** Throws `HttpError`: 404, or 405 with what would do. */
export const findRoute = (routes: Routes, { method, url = '' }: DemoRequest): Respond => {
  const route = routes.get(url.split('?')[0]!)
  if (route === undefined) throw new HttpError(404, 'There is no such page.')
  const respond = method === 'GET' || method === 'HEAD' ? route.GET : method === 'POST' ? route.POST : undefined
  const allow = route.GET === undefined ? 'POST' : 'GET, HEAD'
  if (respond === undefined) throw new HttpError(405, `This does not work with ${method}.`, { Allow: allow })
  return respond
}
