import { readFileSync } from 'node:fs'
import { html, type Html } from './html.js'

/** From `dist/examples/demo` to where the sources are. */
export const sources: URL = new URL('../../../examples/demo/', import.meta.url)

/**
 * The lines of a source file between `// shown` and `// end`: what a page shows is what runs. Of a file for several pages, the
 * lines between `// shown NAME` and `// end`, where the part is one of the names there.
 */
export const shownCode = (name: string, part = ''): Html => {
  const text = readFileSync(new URL(name, sources), 'utf8')
  const parts = [...text.matchAll(/^ *\/\/ shown\b(.*)\n([^]*?)\n *\/\/ end$/gm)]
    .filter(([, names]) => names!.split(' ').includes(part)).map(([, , lines]) => dedent(lines!))
  if (parts.length === 0) throw new Error(`${name} shows nothing`)
  const lines = parts.join('\n\n').split('\n').map(lineOf)
  return html`<figure class="code"><figcaption>examples/demo/${name}</figcaption><pre><code>${lines}</code></pre></figure>`
}

const dedent = (lines: string): string => {
  const margin = /^ */.exec(lines)![0]
  return lines.replaceAll(new RegExp(`^${margin}`, 'gm'), '')
}

/** A line of its own, so that what does not fit on a phone goes on further in. */
const lineOf = (line: string): Html => {
  const [, code, comment] = /^(.*?)(\/\/ .*)?$/.exec(line)!
  return html`<span>${code}${comment === undefined ? '' : html`<i>${comment}</i>`}\n</span>`
}
