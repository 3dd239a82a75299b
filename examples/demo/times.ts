import { html, type Html } from './html.js'

/** A moment, in the server's words: without a script nobody knows the reader's time zone. */
export const moment = (time: number): Html => {
  const iso = new Date(time).toISOString()
  const text = `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`
  return html`<time datetime="${iso}">${text}</time> <small>(${distance(time - Date.now())})</small>`
}

/** Each is used from two of it on: "in 24 hours" says more than "tomorrow". */
const UNITS = [['day', 86_400], ['hour', 3_600], ['minute', 60]] as const

const distance = (ms: number): string => {
  const seconds = Math.round(ms / 1000)
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= 2 * size) ?? ['second', 1]
  return new Intl.RelativeTimeFormat('en', { numeric: 'auto' }).format(Math.round(seconds / size), unit)
}
