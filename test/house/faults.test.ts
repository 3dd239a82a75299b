import test from 'ava'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const text = (name: string): string => readFileSync(join(root, name), 'utf8')

const pages = ['redis', 'redis-topology', 'memcache', 'datastore', 'wrappers'].map((name) => `docs/faults-${name}.md`)

const ids = [
  'R01', 'R03', 'R04', 'R05', 'R06', 'R07', 'R10', 'R11', 'R12', 'R13', 'R14', 'R15', 'R16', 'R17', 'R18', 'R19', 'R20', 'R21', 'R22', 'R23', 'R24', 'R26', 'R27',
  'R28', 'R29', 'R31', 'R32', 'R33', 'R34', 'R35', 'R36', 'R37', 'R38', 'R40', 'R41', 'R43', 'R44', 'R47', 'R49', 'R50', 'R51', 'R52',
  'M01', 'M02', 'M03', 'M04', 'M05', 'M07', 'M09', 'M10', 'M12', 'M13', 'M16',
  'D01', 'D02', 'D03', 'D05', 'D06', 'D07', 'D08', 'D09', 'D10', 'D12', 'D13', 'D14', 'D15',
]

test('every fault of a server has a row, or a word on why it has none', (t) => {
  const all = pages.map(text).join('\n')
  t.deepEqual(ids.filter((id) => !all.includes(id)), [])
})

test('the page of faults leads to all of them', (t) => {
  for (const page of pages) t.true(text('docs/faults.md').includes(`(${page.slice('docs/'.length)})`), page)
})
