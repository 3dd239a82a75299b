import { OutgoingMessage } from 'node:http'

const symbolOf = (name: string): symbol =>
  Object.getOwnPropertySymbols(new OutgoingMessage()).find(({ description }) => description === name)!

/** Members of a response of HTTP/1 that Node keeps to itself: its headers, in their order … */
export const kOutHeaders: symbol = symbolOf('kOutHeaders')

/** … and whether a `write` answered false for which `drain` was not emitted yet. */
export const kNeedDrain: symbol = symbolOf('kNeedDrain')
