import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { findProgram } from '../../test/support/server-process.js'

/** The cores that this process may run on, as Linux tells them: `0-1,4`. */
const allowed = (): number[] => {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]!
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
}

const taskset = process.platform === 'linux' ? findProgram('taskset') : undefined
const cores = taskset === undefined ? [] : allowed()

/** The measured server has one core, and all else another one; without `taskset` or a second core, nobody has one of their own. */
export const isPinned: boolean = cores.length > 1

/** What the command of a measured server begins with. */
export const onServerCore: readonly string[] = isPinned ? [taskset!, '-c', String(cores.at(-1))] : []

/** Puts this process, and all that it will start, on the other core. */
export const moveToLoadCore = (): void => {
  if (isPinned) spawnSync(taskset!, ['-a', '-c', '-p', String(cores[0]), String(process.pid)], { stdio: 'ignore' })
}
