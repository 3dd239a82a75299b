/** Plots as SVG texts that need nothing else: they bring their colours, for light pages and for dark ones. */

export interface Axis {
  /** With its unit. */
  readonly title: string
  readonly log?: boolean
}

export interface Point {
  readonly x: number
  readonly y: number
  /** The spread, drawn as a bar. */
  readonly low?: number
  readonly high?: number
}

export interface LinePlot {
  readonly title: string
  readonly x: Axis
  readonly y: Axis
  readonly lines: readonly { readonly name: string; readonly points: readonly Point[] }[]
  /** A goal, for one: drawn from side to side. */
  readonly marks?: readonly { readonly name: string; readonly y: number }[]
}

export interface Bar {
  readonly value: number
  readonly low?: number
  readonly high?: number
}

export interface BarPlot {
  readonly title: string
  readonly y: Axis
  /** Below the axis, one for each group of bars; may have several lines. */
  readonly groups: readonly string[]
  /** One colour each; a bar for each group, `undefined` where there is none. */
  readonly series: readonly { readonly name: string; readonly bars: readonly (Bar | undefined)[] }[]
  readonly marks?: readonly { readonly name: string; readonly y: number }[]
}

export const linePlot = ({ title, x, y, lines, marks = [] }: LinePlot): string => {
  const points = lines.flatMap((line) => line.points)
  const across = scaleOf(points.map((point) => point.x), x.log, LEFT, RIGHT, true)
  const up = scaleOf([...points.flatMap(spreadOf), ...marks.map((mark) => mark.y)], y.log, BOTTOM, TOP)
  const drawn = lines.flatMap((line, index) => {
    const sorted = line.points.toSorted((a, b) => a.x - b.x)
    const path = sorted.map((point) => `${round(across.at(point.x))},${round(up.at(point.y))}`).join(' ')
    return [
      `<polyline class="line ${colour(index)}" points="${path}"/>`,
      ...sorted.map((point) => spread(across.at(point.x), point, up, index)),
      ...sorted.map((point) => marker(across.at(point.x), up.at(point.y), index)),
    ]
  })
  return svg(title, y.title, lines.map((line) => line.name), [
    grid(up),
    ...across.ticks.map((tick) => label(across.at(tick), BOTTOM + 18, number(tick), 'middle')),
    label((LEFT + RIGHT) / 2, BOTTOM + 38, x.title, 'middle'),
    ...marks.map((mark) => markLine(mark, up)),
    ...drawn,
  ])
}

export const barPlot = ({ title, y, groups, series, marks = [] }: BarPlot): string => {
  const bars = series.flatMap((one) => one.bars.filter((bar) => bar !== undefined))
  const heights = [...bars.flatMap((bar) => spreadOf({ ...bar, y: bar.value })), ...marks.map((mark) => mark.y)]
  const up = scaleOf(heights, y.log, BOTTOM, TOP)
  const groupWidth = (RIGHT - LEFT) / groups.length
  const width = Math.min(40, (groupWidth * 0.8) / series.length)
  const drawn = series.flatMap((one, index) => one.bars.map((bar, group) => {
    if (bar === undefined) return ''
    const middle = LEFT + groupWidth * (group + 0.5) + width * (index - (series.length - 1) / 2)
    const top = up.at(bar.value)
    return `<rect class="fill ${colour(index)}" x="${round(middle - width * 0.45)}" y="${round(top)}" width="${round(width * 0.9)}" height="${round(BOTTOM - top)}"/>` +
      spread(middle, { ...bar, y: bar.value }, up, undefined)
  }))
  return svg(title, y.title, series.map((one) => one.name), [
    grid(up),
    ...groups.flatMap((group, index) => group.split('\n').map((line, row) => label(LEFT + groupWidth * (index + 0.5), BOTTOM + 18 + 15 * row, line, 'middle'))),
    ...drawn,
    ...marks.map((mark) => markLine(mark, up)),
  ])
}

const WIDTH = 760
const HEIGHT = 400
const LEFT = 80
const RIGHT = 580
const TOP = 56
const BOTTOM = 340

interface Scale {
  readonly ticks: readonly number[]
  at(value: number): number
}

/** Ends at ticks; `tight`: at the values themselves, with some room beside them. */
const scaleOf = (values: readonly number[], log = false, from: number, to: number, tight = false): Scale => {
  const taken = values.filter((value) => Number.isFinite(value) && (!log || value > 0))
  const [least, most] = taken.length === 0 ? [1, 10] : [Math.min(...taken), Math.max(...taken)]
  const ticks = log ? logTicks(least, most, tight) : linearTicks(tight ? least : Math.min(0, least), most, tight)
  const measure = log ? Math.log10 : (value: number): number => value
  const [low, high] = tight ? [measure(least), measure(most)] : [measure(ticks[0]!), measure(ticks.at(-1)!)]
  const room = tight ? 0.06 * (to - from) : 0
  const span = high - low
  return { ticks, at: (value) => (span === 0 ? (from + to) / 2 : from + room + ((measure(value) - low) / span) * (to - from - 2 * room)) }
}

const logTicks = (least: number, most: number, tight: boolean): number[] => {
  const first = Math.floor(Math.log10(least) + 1e-9)
  const last = Math.max(first + 1, Math.ceil(Math.log10(most) - 1e-9))
  const steps = last - first <= 2 ? [1, 2, 5] : [1]
  const all = Array.from({ length: last - first + 1 }, (_, power) => steps.map((step) => step * 10 ** (first + power))).flat()
  const [from, to] = [all.findLastIndex((tick) => tick <= least * 1.0001), all.findIndex((tick) => tick >= most * 0.9999)]
  return tight ? all.filter((tick) => tick >= least * 0.999 && tick <= most * 1.001) : all.slice(Math.max(from, 0), to + 1)
}

const linearTicks = (least: number, most: number, tight: boolean): number[] => {
  const rough = (most - least || Math.abs(most) || 1) / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999)!
  const first = (tight ? Math.ceil : Math.floor)(least / step + (tight ? -1e-9 : 1e-9))
  const last = (tight ? Math.floor : Math.ceil)(most / step + (tight ? 1e-9 : -1e-9))
  return Array.from({ length: Math.max(last - first, tight ? 0 : 1) + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)))
}

const spreadOf = ({ y, low = y, high = y }: { readonly y: number; readonly low?: number; readonly high?: number }): number[] => [y, low, high]

const svg = (title: string, yTitle: string, names: readonly string[], parts: readonly string[]): string => `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" font-family="system-ui, sans-serif" font-size="12">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
<rect class="page" width="${WIDTH}" height="${HEIGHT}"/>
<text class="head" x="${LEFT}" y="26">${escaped(title)}</text>
<text x="${LEFT - 60}" y="44">${escaped(yTitle)}</text>
${[...parts, `<path class="axis" d="M${LEFT} ${TOP}V${BOTTOM}H${RIGHT}"/>`, ...names.map(legend)].filter((part) => part !== '').join('\n')}
</svg>
`

const LIGHT = ['#1f6fb2', '#c2410c', '#2f7d32', '#8e3aa8', '#8a6d00', '#00767c', '#b0174f', '#5a5f66']
const DARK = ['#6cb6ff', '#ff9a5c', '#7ccf80', '#d79bee', '#e3c24d', '#4fd0d6', '#ff82ac', '#aeb4bc']

const coloursOf = (colours: readonly string[]): string =>
  colours.map((value, index) => `.c${index}{color:${value}}`).join('')

const STYLE = `.page{fill:#fff}text{fill:#24292f}.head{font-size:15px;font-weight:600}.grid{stroke:#d8dee4}.axis{stroke:#57606a;fill:none}.mark{stroke:#57606a;stroke-dasharray:6 4}.note{paint-order:stroke;stroke:#fff;stroke-width:4px}
.line{fill:none;stroke:currentColor;stroke-width:2}.fill{fill:currentColor}.spread{stroke:currentColor;stroke-width:1.5}.over{stroke:#24292f;stroke-width:1.5}${coloursOf(LIGHT)}
@media (prefers-color-scheme:dark){.page{fill:#0d1117}text{fill:#e6edf3}.grid{stroke:#30363d}.axis,.mark{stroke:#8b949e}.note{stroke:#0d1117}.over{stroke:#e6edf3}${coloursOf(DARK)}}`

const colour = (index: number): string => `c${index % LIGHT.length}`

const grid = (up: Scale): string => up.ticks
  .map((tick) => `<path class="grid" d="M${LEFT} ${round(up.at(tick))}H${RIGHT}"/>${label(LEFT - 8, up.at(tick) + 4, number(tick), 'end')}`).join('\n')

const markLine = ({ name, y }: { readonly name: string; readonly y: number }, up: Scale): string =>
  `<path class="mark" d="M${LEFT} ${round(up.at(y))}H${RIGHT}"/><text class="note" x="${RIGHT - 4}" y="${round(up.at(y) - 5)}" text-anchor="end">${escaped(name)}</text>`

const spread = (x: number, point: { readonly y: number; readonly low?: number; readonly high?: number }, up: Scale, index: number | undefined): string => {
  const { low, high } = point
  if (low === undefined || high === undefined) return ''
  const [at, top, bottom] = [round(x), round(up.at(high)), round(up.at(low))]
  return `<path class="${index === undefined ? 'over' : `spread ${colour(index)}`}" d="M${at} ${bottom}V${top}M${round(x - 4)} ${top}h8M${round(x - 4)} ${bottom}h8"/>`
}

/** Shapes besides colours, for who cannot tell these apart. */
const SHAPES = ['M-4-4h8v8h-8z', 'M0-5L5 4H-5z', 'M0-5.5L5.5 0L0 5.5L-5.5 0z', 'M-5-4H5L0 5z']

const marker = (x: number, y: number, index: number): string =>
  `<path class="fill ${colour(index)}" transform="translate(${round(x)} ${round(y)})" d="${SHAPES[index % SHAPES.length]}"/>`

const legend = (name: string, index: number): string =>
  marker(RIGHT + 24, TOP + 10 + index * 20, index) + label(RIGHT + 36, TOP + 14 + index * 20, name, 'start')

const label = (x: number, y: number, text: string, anchor: 'start' | 'middle' | 'end'): string =>
  `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${escaped(text)}</text>`

const number = (value: number): string => value.toLocaleString('en', { maximumSignificantDigits: 6 })

const round = (value: number): number => Math.round(value * 10) / 10

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
