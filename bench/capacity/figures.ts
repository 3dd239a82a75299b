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
