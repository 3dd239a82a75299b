import { html, type Content, type Html } from './html.js'

export interface Link {
  readonly path: string
  readonly title: string
}

/** A whole page of the site. */
export const layout = (links: readonly Link[], here: string | undefined, title: string, content: Content): Html =>
  html`<!doctype html>
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
<nav aria-label="Pages">${links.map((link) => navLink(link, here))}</nav>
</header>
<main>
<h1>${title}</h1>
${content}
</main>
<footer>Sessions for Node’s own <code>http</code> server. This site runs without a script in the browser.</footer>
</body>
</html>
`

const navLink = ({ path, title }: Link, here: string | undefined): Html =>
  html`<a href="${path}"${path === here ? html` aria-current="page"` : ''}>${title}</a>`

/** A form of one button, for what changes something: links only read. */
export const button = (action: string, label: Content, fields: Readonly<Record<string, string>> = {}, kind = ''): Html => {
  const hidden = Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)
  return html`<form method="post" action="${action}">${hidden}<button class="${kind}">${label}</button></form>`
}
