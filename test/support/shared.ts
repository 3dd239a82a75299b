import type { Teardown } from './app.js'

export type Borrow<Thing> = (t: Teardown) => Promise<Thing>

/** What the tests of a process share: started for the first who borrows it, ended after the last. */
export const sharedBy = <Thing>(start: (t: Teardown) => Promise<Thing>): Borrow<Thing> => {
  let current: { users: number; readonly thing: Promise<Thing>; readonly ends: (() => unknown)[] } | undefined
  return async (t) => {
    if (current === undefined) {
      const ends: (() => unknown)[] = []
      current = { users: 0, ends, thing: start({ teardown: (end) => ends.push(end) }) }
    }
    const borrowed = current
    borrowed.users += 1
    t.teardown(async () => {
      if (--borrowed.users > 0) return
      if (current === borrowed) current = undefined
      for (const end of borrowed.ends) await end()
    })
    return borrowed.thing
  }
}
