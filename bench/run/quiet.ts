import { readdirSync, readFileSync } from 'node:fs'

/** Hundredths of a second, by which Linux tells CPU time (`USER_HZ`). */
const TICKS_A_SECOND = 100

/** `PF_KTHREAD`: what writes our files and moves our packets is a part of what is measured. */
const KERNEL_THREAD = 0x0020_0000

const canTell = process.platform === 'linux'

/** Begins to watch. What is called at the end says which part of one core others have used; `undefined` where nobody can tell. */
export const watchOthers = (): (() => number | undefined) => {
  if (!canTell) return () => undefined
  const [before, start] = [spent(), performance.now()]
  return () => {
    const [after, ticks] = [spent(), ((performance.now() - start) / 1_000) * TICKS_A_SECOND]
    const others = after.others - before.others + after.stolen - before.stolen
    // From within a container not every process is seen, but what the machine spends is; it is the less exact of the two, being sampled.
    const rest = after.machine - before.machine - (after.ours - before.ours)
    return Math.max(0, others, rest) / ticks
  }
}

/** Ticks of CPU time so far: of the whole machine, given to others by its host, of this process and what it has started, of all other processes. */
const spent = (): Record<'machine' | 'stolen' | 'ours' | 'others', number> => {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, stolen = 0] = /^cpu +(.*)/.exec(readFileSync('/proc/stat', 'utf8'))![1]!.split(' ').map(Number)
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(processOf)
  const sum = (isOurs: boolean): number => processes.reduce((total, one) => total + (one.isOurs === isOurs ? one.ticks : 0), 0)
  return { machine: user + nice + system + irq + softirq + stolen, stolen, ours: sum(true), others: sum(false) }
}

/** With the time of its children that have ended, so that what they spent stays in the sum. */
const processOf = (pid: string): { readonly isOurs: boolean; readonly ticks: number } => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ').map(Number) // the name before may hold blanks
    const [, parent, , , , , flags = 0] = fields
    const isOurs = Number(pid) === process.pid || parent === process.pid || (flags & KERNEL_THREAD) !== 0
    return { isOurs, ticks: fields.slice(11, 15).reduce((total, time) => total + time, 0) }
  } catch {
    return { isOurs: false, ticks: 0 } // it has just ended
  }
}
