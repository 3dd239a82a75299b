const KEYS = 16

/** Data of exactly `size` bytes of JSON: a number that saves count up, and texts. */
export const sessionData = (size: number, seed: number): Record<string, unknown> => {
  const data: Record<string, unknown> = { n: 100_000 }
  const keys = Math.max(1, Math.min(KEYS, Math.floor(size / 40)))
  for (let key = 0; key < keys; key++) data[`key${key.toString(16)}`] = ''
  const room = Math.max(0, size - JSON.stringify(data).length)
  const each = Math.floor(room / keys)
  for (let key = 0; key < keys; key++) data[`key${key.toString(16)}`] = text(each + (key === 0 ? room - each * keys : 0), seed + key)
  return data
}

/** Not all alike, so that nothing is shared or compressed. */
const text = (length: number, seed: number): string => {
  const word = `${((seed * 2_654_435_761) >>> 0).toString(36)}-`
  return word.repeat(Math.ceil(length / word.length)).slice(0, length)
}
