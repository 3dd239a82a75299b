import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { codeOf } from './errors.js'

/**
 * A new token: a file name, unique for ever, that tells who made it (where, process id, process start), so that a dead holder's
 * lock is seen at once. `endsAt` (epoch ms): when what it holds ends by itself. At most 60 characters, lower case.
 */
export const newToken = (endsAt?: number): string => {
  const { pid } = process
  own ??= `${place()}-${pid.toString(36)}-${processStart(pid) ?? '0'}`
  const token = `${own}-${randomBytes(8).toString('hex')}`
  return endsAt === undefined ? token : `${token}-${Math.ceil(endsAt).toString(36)}`
}

/** Whether the process that made the token is known to have ended. Never true of a living one. */
export const isDead = (token: string): boolean => {
  const [where, id, start] = token.split('-')
  if (id === undefined || where !== place()) return false
  const pid = parseInt(id, 36)
  if (!isRunning(pid)) return true
  const found = processStart(pid)
  return found !== undefined && found !== start
}

/** When what the token holds ends by itself, in epoch ms; `undefined` for a token that has no end, or is none of ours. */
export const endOf = (token: string): number | undefined => {
  const end = parseInt(token.split('-')[4] ?? '', 36)
  return Number.isNaN(end) ? undefined : end
}

let own: string | undefined
let knownPlace: string | undefined

/** Where a process id means the same process: this host since it was booted, in this PID namespace (a container has its own). */
const place = (): string =>
  (knownPlace ??= createHash('sha256')
    .update([hostname(), textOf('/proc/sys/kernel/random/boot_id'), read(() => readlinkSync('/proc/self/ns/pid'))].join('\n'))
    .digest('hex')
    .slice(0, 12))

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return codeOf(error) !== 'ESRCH' // EPERM: it runs, as somebody else
  }
}

/**
 * When the process began, in clock ticks since boot; '' for one that has ended and waits for its parent; `undefined` where
 * there is no /proc.
 */
const processStart = (pid: number): string | undefined => {
  const stat = textOf(`/proc/${pid}/stat`)
  // proc(5): the second field is the program's name in parentheses, which may hold blanks; the third is the state, the 22nd the start
  const [state, ...rest] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? []
  const start = rest[18]
  if (state === undefined || start === undefined) return undefined
  return state === 'Z' || state === 'X' ? '' : Number(start).toString(36)
}

const textOf = (file: string): string | undefined => read(() => readFileSync(file, 'utf8'))

const read = (file: () => string): string | undefined => {
  try {
    return file()
  } catch {
    return undefined
  }
}
