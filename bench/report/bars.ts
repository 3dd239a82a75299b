import type { Kind } from '../contestants.js'
import type { Report } from './markdown.js'
import type { Row } from './summary.js'

const NAMES = 290
const PANEL = 128
const BAR = 84
const LINE = 18
const TOP = 46

/** An SVG of the ratios: a line for each server, a column for each scenario; readable on light and on dark ground. */
export const bars = ({ scenarios, rows }: Pick<Report, 'scenarios' | 'rows'>): string => {
  const groups = grouped(rows)
  let y = TOP
  const lines = groups.flatMap(([group, members]) => {
    const heading = `<text class="group" x="8" y="${(y += LINE + 8)}">${group}</text>`
    return [heading, ...members.map((row) => lineOf(row, scenarios.map(({ letter }) => letter), (y += LINE)))]
  })
  const width = NAMES + scenarios.length * PANEL
  const heads = scenarios.map(({ letter }, index) => `<text class="group" x="${NAMES + index * PANEL}" y="${TOP}">${letter}</text>`)
  const title = '<text class="group" x="8" y="22">Requests per second, as a part of a bare node:http server’s (1 is the whole column)</text>'
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y + LINE}" width="${width}" height="${y + LINE}" font-family="system-ui, sans-serif" font-size="12">
${STYLE}
${[title, ...heads, ...lines].join('\n')}
</svg>
`
}

const STYLE = `<style>
text { fill: #333 } .group { font-weight: 600 } .ground { fill: #8882 } .least { fill: #aaa } .phial { fill: #0a7d5c } .peer { fill: #b5651d }
@media (prefers-color-scheme: dark) { text { fill: #ddd } .least { fill: #777 } .phial { fill: #2cc295 } .peer { fill: #e0954a } }
</style>`

const grouped = (rows: readonly Row[]): [string, Row[]][] => {
  const groups = new Map<string, Row[]>()
  for (const row of rows) groups.set(row.group, [...(groups.get(row.group) ?? []), row])
  return [...groups]
}

const lineOf = ({ title, kind, cells }: Row, letters: readonly string[], y: number): string =>
  [`<text x="16" y="${y}">${escaped(title)}</text>`, ...letters.map((letter, index) => bar(cells[letter]?.ratio.median, kind, NAMES + index * PANEL, y))].join('')

const bar = (ratio: number | undefined, kind: Kind, x: number, y: number): string => {
  const box = (width: number, name: string): string => `<rect class="${name}" x="${x}" y="${y - 11}" width="${width.toFixed(1)}" height="13"/>`
  if (ratio === undefined) return `${box(BAR, 'ground')}<text x="${x + BAR + 4}" y="${y}">–</text>`
  return `${box(BAR, 'ground')}${box(Math.min(ratio, 1.1) * BAR, kind)}<text x="${x + BAR + 10}" y="${y}">${ratio.toFixed(2)}</text>`
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
