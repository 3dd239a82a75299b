import { readdirSync, readFileSync } from 'node:fs'

/** Hundredths of a second, by which Linux counts CPU time for its readers (`USER_HZ`). */
const TICKS_A_SECOND = 100

/** CPU seconds that the whole machine has spent so far, with those that its host gave to others. */
const ofMachine = (): number => {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = /^cpu +(.*)/.exec(readFileSync('/proc/stat', 'utf8'))![1]!.split(' ').map(Number)
  return (user + nice + system + irq + softirq + steal) / TICKS_A_SECOND
}

/** CPU seconds of this process, of what it has started and still runs, and of what has ended. */
const ofOurs = (): number =>
  readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(ticksOf).reduce((sum, ticks) => sum + ticks, 0) / TICKS_A_SECOND

const ticksOf = (pid: string): number => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ').map(Number) // the name before may hold blanks
    const [parent, user = 0, system = 0, childUser = 0, childSystem = 0] = [fields[1], ...fields.slice(11, 15)]
    if (Number(pid) === process.pid) return user + system + childUser + childSystem
    return parent === process.pid ? user + system + childUser + childSystem : 0
  } catch {
    return 0 // it has just ended
  }
}

const canTell = process.platform === 'linux'

/** Begins to watch. What is called at the end says which part of one core others have used; `undefined` where nobody can tell. */
export const watchOthers = (): (() => number | undefined) => {
  if (!canTell) return () => undefined
  const others = (): number => ofMachine() - ofOurs()
  const [before, start] = [others(), performance.now()]
  return () => Math.max(0, (others() - before) / ((performance.now() - start) / 1_000))
}
