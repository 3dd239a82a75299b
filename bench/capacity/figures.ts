/** Figures as people read them: three places, or whole. */
export const rounded = (value: number): string =>
  value.toLocaleString('en', value >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 })

/** Decimal: 1 kB is 1,000 bytes. */
export const bytes = (value: number): string => scaled(value, ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'])

export const bits = (bytesPerSecond: number): string => scaled(bytesPerSecond * 8, ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s'])

const scaled = (value: number, units: readonly string[]): string => {
  const power = Math.max(0, Math.min(units.length - 1, Math.floor(Math.log10(Math.max(value, 1)) / 3)))
  return `${(value / 1000 ** power).toLocaleString('en', { maximumSignificantDigits: 3 })} ${units[power]}`
}

/** Between two measured records as on a straight line, beyond the last as between the last two. */
export const measuredAt = (points: readonly { readonly record: number; readonly value: number }[], record: number): number => {
  const sorted = points.toSorted((a, b) => a.record - b.record)
  const above = sorted.findIndex((point) => point.record >= record)
  const to = Math.max(1, above < 0 ? sorted.length - 1 : above)
  const [low, high] = [sorted[to - 1]!, sorted[to] ?? sorted[to - 1]!]
  if (low === high) return low.value
  return Math.max(0, low.value + ((high.value - low.value) * (record - low.record)) / (high.record - low.record))
}
