import type { OptionRow, OptionTable } from '../src/namespace-manager.js'
import { otherBackend } from './backend-kinds.js'
import { anyText, count, flag, hidden, instance, seconds, type Kind } from './kinds.js'

/** The tables of the backends' own options, by type. */
export type OptionTables = Readonly<Record<string, OptionTable>>

/** `max_sessions` → `maxSessions` */
export const camelCase = (name: string): string => name.replaceAll(/_([a-z\d])/g, (_, letter: string) => letter.toUpperCase())

export const kindOfOption = (row: OptionRow): Kind<unknown> => {
  switch (row.type) {
    case 'object': return instance
    case 'backend': return otherBackend
    default: return row.secret === true ? hidden(plainKind(row)) : plainKind(row)
  }
}

const plainKind = ({ type, least }: OptionRow): Kind<unknown> => {
  switch (type) {
    case 'boolean': return flag
    case 'count': return count('number', least)
    case 'seconds': return seconds(least)
    default: return anyText
  }
}
