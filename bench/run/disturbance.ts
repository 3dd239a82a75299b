import type { Figures } from './measure.js'

/** What others may use of a core, and by how much the bare server's rate may differ before and after a block, for it to count as undisturbed. */
export const MOST_OTHERS = 0.05
export const MOST_SWING = 0.06

type Seen = Pick<Figures, 'others' | 'perSecond'>

/** Why what was measured between two measurements of the bare server does not count: others were busy, or the machine itself went faster or slower. */
export const disturbance = (before: Seen, samples: readonly Seen[], after: Seen): string | undefined => {
  const others = Math.max(...[before, ...samples, after].map((figures) => figures.others ?? 0))
  if (others > MOST_OTHERS) return `others used ${percent(others)} of a core`
  const swing = Math.abs(after.perSecond - before.perSecond) / Math.max(after.perSecond, before.perSecond)
  return swing > MOST_SWING ? `the bare server's rate changed by ${percent(swing)}` : undefined
}

const percent = (part: number): string => `${(part * 100).toFixed(1)} %`
