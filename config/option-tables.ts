import type { OptionRow, OptionTable } from '../src/namespace-manager.js'
import { anyText, count, flag, instance, seconds, type Kind } from './kinds.js'

/** The tables of the backends' own options, by type. */
export type OptionTables = Readonly<Record<string, OptionTable>>

/** `max_sessions` → `maxSessions` */
export const camelCase = (name: string): string => name.replaceAll(/_([a-z\d])/g, (_, letter: string) => letter.toUpperCase())

export const kindOfOption = (row: OptionRow): Kind<unknown> => {
  switch (row.type) {
    case 'boolean': return flag
    case 'count': return count('number', row.least)
    case 'seconds': return seconds(row.least)
    case 'string': return anyText
    case 'object': return instance
  }
}
