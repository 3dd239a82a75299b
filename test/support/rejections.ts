import { subscribe, unsubscribe } from 'node:diagnostics_channel'

/** What `look` returns, and the reasons of the `rejected-id` events that it raises. It must not wait for anything. */
export const rejectionsOf = <T>(look: () => T): { result: T; reasons: string[] } => {
  const reasons: string[] = []
  const listener = (message: unknown): void => { reasons.push((message as { reason: string }).reason) }
  subscribe('phial:rejected-id', listener)
  try {
    return { result: look(), reasons }
  } finally {
    unsubscribe('phial:rejected-id', listener)
  }
}
