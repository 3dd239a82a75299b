import type { SessionManager } from 'phial'
import { application, type Application } from './application.js'
import { assets } from './assets.js'
import type { Group, Link } from './layout.js'
import type { DemoData, Page } from './page.js'
import { basic } from './pages/basic.js'
import { cart } from './pages/cart.js'
import { cookies } from './pages/cookies.js'
import { counter } from './pages/counter.js'
import { details } from './pages/details.js'
import { flash } from './pages/flash.js'
import { garden } from './pages/garden.js'
import { guarded } from './pages/guarded.js'
import { home } from './pages/home.js'
import { kitchen } from './pages/kitchen.js'
import { language } from './pages/language.js'
import { letters } from './pages/letters.js'
import { login } from './pages/login.js'
import { named } from './pages/named.js'
import { tea } from './pages/tea.js'
import { visits } from './pages/visits.js'

/** The applications, which share a menu. Where `server.ts` puts them, the menu finds them. */
export interface Site {
  readonly main: Application
  readonly garden: Application
  readonly kitchen: Application
  readonly visits: Application
}

export const makeSite = (manager: SessionManager<DemoData>): Site => {
  const groups = [
    { title: 'First steps', pages: [counter, basic, cart, details] },
    { title: 'From page to page', pages: [flash, letters, tea, language] },
    { title: 'Who it is', pages: [login(manager), guarded] },
  ]
  const menu: Group[] = [
    ...groups.map(({ title, pages }) => ({ title, links: pages })),
    { title: 'More than one', links: [at('/garden', garden), at('/kitchen', kitchen), named] },
    { title: 'Beside the session', links: [cookies, at('/visits', visits)] },
  ]
  return {
    main: application([home(menu), ...groups.flatMap(({ pages }) => pages), named, cookies], menu, assets),
    garden: application([garden], menu),
    kitchen: application([kitchen], menu),
    visits: application([visits], menu),
  }
}

const at = (prefix: string, { path, title, about }: Page): Link => ({ path: prefix + path, title, about })
