import { html, type Content, type Html } from './html.js'

export interface Link {
  readonly path: string
  readonly title: string
  /** One sentence. */
  readonly about: string
}

/** Pages that belong together. */
export interface Group {
  readonly title: string
  readonly links: readonly Link[]
}

/** A whole page of the site. */
export const layout = (menu: readonly Group[], here: string | undefined, title: string, content: Content): Html => {
  const twice = here === '/' ? ' twice' : '' // the first page lists them all: where there is little room, once is enough
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${here === '/' ? 'phial' : `${title} · phial`}</title>
<link rel="stylesheet" href="/style.css">
<link rel="icon" href="/icon.svg" type="image/svg+xml">
</head>
<body>
<header>
<a class="name" href="/"><img src="/icon.svg" alt="" width="28" height="28">phial</a>
<a class="jump${twice}" href="#pages">All pages</a>
</header>
<main>
<h1>${title}</h1>
${content}
${nextAfter(menu, here)}
</main>
<nav id="pages" class="${twice}" aria-label="Pages">${menu.map((group) => navGroup(group, here))}</nav>
<footer>Sessions for Node’s own <code>http</code> server. This site runs without a script in the browser.</footer>
</body>
</html>
`
}

const navGroup = ({ title, links }: Group, here: string | undefined): Html =>
  html`<section><h2>${title}</h2><ul>${links.map((link) => navLink(link, here))}</ul></section>`

const navLink = ({ path, title }: Link, here: string | undefined): Html =>
  html`<li><a href="${path}"${path === here ? html` aria-current="page"` : ''}>${title}</a></li>`

/** For those who read them all. */
const nextAfter = (menu: readonly Group[], here: string | undefined): Html | undefined => {
  const links = menu.flatMap(({ links }) => links)
  const next = links[links.findIndex(({ path }) => path === here) + 1]
  return here === undefined || next === undefined ? undefined : html`<p class="next"><a href="${next.path}">Next: ${next.title}</a></p>`
}
