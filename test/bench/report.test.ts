import test from 'ava'
import type { Contestant } from '../../bench/contestants.js'
import { bars } from '../../bench/report/bars.js'
import { markdown } from '../../bench/report/markdown.js'
import type { Report } from '../../bench/report/markdown.js'
import { selfTimes } from '../../bench/report/self-times.js'
import { spreadOf, summarize } from '../../bench/report/summary.js'
import { disturbance } from '../../bench/run/disturbance.js'
import type { Figures } from '../../bench/run/measure.js'
import type { Block } from '../../bench/run/rounds.js'

const contestant: Contestant = { name: 'one', title: 'one & <only>', kind: 'phial', group: 'redis', file: '', args: () => [] }

const figures = (perSecond: number, more: Partial<Figures> = {}): Figures =>
  ({ requests: 1_000, perSecond, cpuMicros: 1e6 / perSecond, p50Ms: 1, p99Ms: 2, commands: undefined, others: 0, ...more })

const block = (perSecond: number, more: Partial<Block> = {}): Block => ({
  name: 'one', round: 1, bare: [figures(90_000), figures(110_000)], samples: [{ letter: 'R', ...figures(perSecond, { commands: { GET: 1, EXPIRE: 0.5 } }) }], ...more,
})

const reportOf = (blocks: readonly Block[]): Report => ({
  date: '2026-11-20', machine: {}, seconds: 5, rounds: 3, sessions: 256, isChecked: true, scenarios: [{ letter: 'R', title: 'one key is read' }],
  rows: summarize([contestant], blocks, 3), skipped: [{ title: 'another', reason: 'memcached is not installed' }],
})

test('the median is of the rounds, and between the middle two of an even number', (t) => {
  t.deepEqual(spreadOf([3, 1, 20]), { median: 3, low: 1, high: 20 })
  t.deepEqual(spreadOf([4, 1, 2, 20]), { median: 3, low: 1, high: 20 })
  t.deepEqual(spreadOf([5]), { median: 5, low: 5, high: 5 })
})

test('rates are told as parts of the bare server’s before and after, round by round', (t) => {
  const [row] = summarize([contestant], [block(50_000), block(60_000), block(40_000)], 3)
  const { ratio, perSecond, commands } = row!.cells['R']!
  t.is(row!.note, undefined)
  t.is(perSecond.median, 50_000)
  t.is(ratio.median.toFixed(4), ((5 / 9 + 5 / 11) / 2).toFixed(4))
  t.is(ratio.high.toFixed(4), ((6 / 9 + 6 / 11) / 2).toFixed(4))
  t.deepEqual(commands, { GET: 1, EXPIRE: 0.5 })
})

test('a disturbed block does not count, and a row without any that does says why', (t) => {
  const disturbed = block(1, { disturbance: 'others used 9 % of a core' })
  const [again] = summarize([contestant], [disturbed, block(50_000), block(60_000), block(40_000)], 3)
  t.deepEqual([again!.cells['R']!.perSecond.low, again!.note], [40_000, undefined])
  const [fewer] = summarize([contestant], [block(50_000), disturbed, disturbed, block(40_000)], 3)
  t.is(fewer!.note, '1 of 3 rounds were disturbed each time: others used 9 % of a core')
  const [none] = summarize([contestant], [disturbed], 3)
  t.deepEqual([none!.cells, none!.note], [{}, 'disturbed each time: others used 9 % of a core'])
})

test('a failure leaves no figure of that server, also where other rounds went well', (t) => {
  const [row] = summarize([contestant], [block(50_000), block(0, { samples: [], failure: 'W: the counter does not count' })], 3)
  t.deepEqual([row!.cells, row!.note], [{}, 'failed: W: the counter does not count'])
})

test('others that are busy disturb, and so does a machine that gets faster or slower', (t) => {
  t.is(disturbance(figures(100), [figures(5)], figures(95)), undefined)
  t.is(disturbance(figures(100), [figures(5)], figures(90)), 'the bare server\'s rate changed by 10.0 %')
  t.is(disturbance(figures(90), [figures(5)], figures(100)), 'the bare server\'s rate changed by 10.0 %')
  t.is(disturbance(figures(100), [figures(5), figures(5, { others: 0.3 })], figures(100)), 'others used 30.0 % of a core')
  t.is(disturbance(figures(100, { others: 0.06 }), [], figures(100)), 'others used 6.0 % of a core')
  t.is(disturbance(figures(100, { others: undefined }), [], figures(100)), undefined)
})

test('the tables show the median, what it lies between, the commands, and what is missing', (t) => {
  const text = markdown(reportOf([block(50_000), block(60_000), block(40_000)]))
  t.true(text.includes('| redis | **one & <only>** | 0.51 (0.40–0.61) |'), text)
  t.true(text.includes('| redis | **one & <only>** | GET + 0.50 EXPIRE |'), text)
  t.true(text.includes('- another: not measured; memcached is not installed\n'), text)
  t.true(markdown(reportOf([])).includes('| redis | **one & <only>** | – |'))
})

test('the plot has a bar for each figure, and its texts are escaped', (t) => {
  const svg = bars(reportOf([block(50_000)]))
  t.true(svg.includes('>one &amp; &lt;only></text>'), svg)
  t.regex(svg, /<rect class="phial" [^>]*width="42\.4"[^>]*\/><text [^>]*>0\.51<\/text>/)
  t.regex(bars(reportOf([])), />–<\/text>/)
})

test('a profile is summed up by function, without what was idle', (t) => {
  const frame = (functionName: string, url = '', lineNumber = -1) => ({ functionName, url, lineNumber })
  const nodes = [frame('(idle)'), frame('load', 'file:///x/dist/src/a.js', 6), frame('load', 'file:///x/dist/src/a.js', 6), frame('', 'file:///x/node_modules/b/c.js', 0)]
  const json = JSON.stringify({ nodes: nodes.map((callFrame, id) => ({ id, callFrame })), samples: [0, 1, 2, 3], timeDeltas: [500, 20, 40, 40] })
  t.deepEqual(selfTimes(json), [
    { place: 'load  dist/src/a.js:7', micros: 60, part: 0.6 },
    { place: '(anonymous)  node_modules/b/c.js:1', micros: 40, part: 0.4 },
  ])
})
