import type { Stage } from './stage.js'

export interface CaseDefinition {
  readonly name: string
  readonly needs: readonly Need[]
  readonly check: (stage: Stage) => Promise<void>
}

/** What a case takes for granted, besides the core of the contract. */
export type Need =
  | 'exactClock'
  /** Several keys, namespaces and managers at a time: all scopes but `request`. */
  | 'severalRecords'
  /** A manager that is closed leaves the store to the others. */
  | 'severalProcesses'
  | 'durable'
  | 'atomic'
  | 'revocable'
  | 'enumerable'
  | 'purgeable'
  | 'lockable'
  | 'ownerIndex'

/** Cases that need the same: their names and what each checks. */
export const casesFor = (needs: readonly Need[], checks: Readonly<Record<string, CaseDefinition['check']>>): CaseDefinition[] =>
  Object.entries(checks).map(([name, check]) => ({ name, needs, check }))
