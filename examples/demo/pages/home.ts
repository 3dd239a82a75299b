import { html, type Html } from '../html.js'
import type { Group, Link } from '../layout.js'
import type { Page } from '../page.js'
import { shownCode } from '../shown-code.js'

/** The first page, of the others. It does not touch the session, and so costs no look at the store and sets no cookie. */
export const home = (menu: readonly Group[]): Page => ({
  path: '/',
  title: 'Sessions, one page at a time',
  about: '',
  code: shownCode('server.ts', 'start'),
  show: () => html`<p class="lead">phial keeps what a visitor did until the next request. Each page here does one thing
    with a session, and shows the lines that do it.</p>
    ${menu.map(section)}
    <p>This page asked for no session: nothing was read, and no cookie was set.</p>`,
})

const section = ({ title, links }: Group): Html => html`<section><h2>${title}</h2><ul class="pages">${links.map(linkTo)}</ul></section>`

const linkTo = ({ path, title, about }: Link): Html => html`<li><a href="${path}"><b>${title}</b><span>${about}</span></a></li>`
