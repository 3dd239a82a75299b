import test from 'ava'
import type { ExecutionContext } from 'ava'
import { barPlot, linePlot } from '../../bench/plot.js'

const axes = { x: { title: 'sessions', log: true }, y: { title: 'time, µs' } }
const line = (...points: { x: number; y: number; low?: number; high?: number }[]) => linePlot({ title: 'A read', ...axes, lines: [{ name: 'memory', points }] })

const textsOf = (svg: string): string[] => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text!)
const pathOf = (svg: string): number[][] => /<polyline [^>]*points="([^"]*)"/.exec(svg)![1]!.split(' ').map((point) => point.split(',').map(Number))

/** Each element that is opened is closed, in order, and every number is one. */
const isWellFormed = (t: ExecutionContext, svg: string): void => {
  const open: string[] = []
  for (const [, end, name, closed] of svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
    if (end !== '') t.is(open.pop(), name)
    else if (closed === '') open.push(name!)
  }
  t.deepEqual(open, [])
  t.notRegex(svg, /NaN|Infinity|undefined/)
}

test('a line plot tells its title, axes, units, lines and marks', (t) => {
  const svg = linePlot({
    title: 'A read', ...axes, marks: [{ name: 'goal', y: 30 }],
    lines: [{ name: 'memory', points: [{ x: 1_000, y: 10 }, { x: 1_000_000, y: 12 }] }, { name: 'file <sync>', points: [{ x: 1_000, y: 40 }] }],
  })
  for (const text of ['A read', 'sessions', 'time, µs', 'memory', 'file &lt;sync&gt;', 'goal', '1,000', '1,000,000']) t.true(textsOf(svg).includes(text), text)
  isWellFormed(t, svg)
})

test('more is further right and higher, and a log axis has equal steps for equal factors', (t) => {
  const [a, b, c] = pathOf(line({ x: 100, y: 10 }, { x: 10, y: 5 }, { x: 1_000, y: 20 }))
  t.true(a![0]! < b![0]! && b![0]! < c![0]!)
  t.true(a![1]! > b![1]! && b![1]! > c![1]!)
  t.true(Math.abs((b![0]! - a![0]!) - (c![0]! - b![0]!)) <= 0.2)
})

test('a spread is drawn where it is known', (t) => {
  t.is(line({ x: 1, y: 5 }, { x: 10, y: 5 }).match(/class="spread/g), null)
  t.is(line({ x: 1, y: 5, low: 4, high: 9 }, { x: 10, y: 5 }).match(/class="spread/g)?.length, 1)
})

test('nothing, one point, and equal points are drawn, too', (t) => {
  for (const svg of [line(), line({ x: 5, y: 5 }), line({ x: 5, y: 0 }, { x: 5, y: 0 })]) isWellFormed(t, svg)
})

test('bars stand on nought, a bar for each value', (t) => {
  const svg = barPlot({
    title: 'Ratios', y: { title: 'to the bare handler' }, groups: ['read', 'save\n1 KB'], marks: [{ name: 'bare', y: 1 }],
    series: [{ name: 'phial', bars: [{ value: 0.6, low: 0.5, high: 0.7 }, { value: 0.3 }] }, { name: 'a peer', bars: [{ value: 0.2 }, undefined] }],
  })
  const bars = [...svg.matchAll(/<rect class="fill (c\d)" x="[\d.]+" y="([\d.]+)" width="[\d.]+" height="([\d.]+)"/g)].map(([, colour, y, height]) => [colour, Number(y) + Number(height), Number(height)])
  t.deepEqual(bars.map(([colour, foot]) => [colour, foot]), [['c0', 340], ['c0', 340], ['c1', 340]])
  t.true(Math.abs(Number(bars[0]![2]) - 2 * Number(bars[1]![2])) < 0.2)
  for (const text of ['read', 'save', '1 KB', 'phial', 'a peer', 'bare', 'to the bare handler', '0', '1']) t.true(textsOf(svg).includes(text), text)
  isWellFormed(t, svg)
})

test('it needs nothing else, and has colours for light pages and for dark ones', (t) => {
  const svg = line({ x: 1, y: 1 })
  t.is(svg.replace('xmlns="http://www.w3.org/2000/svg"', '').match(/https?:|href|url\(|<script/), null)
  t.regex(svg, /\.page\{fill:#fff\}.*@media \(prefers-color-scheme:dark\)\{\.page\{fill:#0d1117\}/s)
})
