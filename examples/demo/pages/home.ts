import { html, type Html } from '../html.js'
import type { Page } from '../page.js'
import { shownCode } from '../shown-code.js'

/** The first page, of the others. It does not touch the session, and so costs no look at the store and sets no cookie. */
export const home = (pages: readonly Page[]): Page => ({
  path: '/',
  title: 'Sessions, one page at a time',
  about: '',
  code: shownCode('server.ts'),
  show: () => html`<p class="lead">phial keeps what a visitor did until the next request. Each page here does one thing
    with a session, and shows the lines that do it.</p>
    <ul class="pages">${pages.map(linkTo)}</ul>
    <p>This page asked for no session: nothing was read, and no cookie was set.</p>`,
})

const linkTo = ({ path, title, about }: Page): Html => html`<li><a href="${path}"><b>${title}</b><span>${about}</span></a></li>`
