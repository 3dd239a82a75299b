import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { findProgram } from '../../test/support/server-process.js'
import { refuse } from '../command.js'

export const wrk: string | undefined = findProgram('wrk')

/** Throws `UsageError`. */
export const needsWrk = (): void => {
  if (wrk === undefined) refuse('wrk is not installed: apt-get install wrk, or as your system has it')
}

const LONG_SECONDS = 5

const script = fileURLToPath(new URL('../../../bench/run/load.lua', import.meta.url))

/** What was seen from outside of a server under load. */
export interface Seen {
  readonly requests: number
  readonly micros: number
  readonly p50Micros: number
  readonly p99Micros: number
}

export interface Load {
  readonly url: string
  readonly path: string
  /** A file with a session's cookies on each line, that requests walk over; none come when absent. */
  readonly cookieFile?: string | undefined
  readonly seconds: number
}

/** Asks for the path with 32 connections for so long, or longer when nothing was answered by then. Rejects when an answer was no 2xx, or a connection failed. */
export const load = async (what: Load): Promise<Seen> => {
  const seen = await loadOnce(what)
  if (seen !== undefined) return seen
  if (what.seconds > LONG_SECONDS) throw new Error(`under load, nothing was answered for ${what.seconds} s`)
  return load({ ...what, seconds: what.seconds * 4 })
}

const loadOnce = async ({ url, path, cookieFile, seconds }: Load): Promise<Seen | undefined> => {
  // It takes whole seconds only, but tells what it has seen when it is interrupted.
  const args = ['-t1', '-c32', `-d${Math.ceil(seconds)}s`, '--timeout', '20s', '-s', script, url, '--', path, ...(cookieFile === undefined ? [] : [cookieFile])]
  const child = spawn(wrk!, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const timer = Number.isInteger(seconds) ? undefined : setTimeout(() => child.kill('SIGINT'), seconds * 1_000)
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => { printed += String(chunk) })
  const [, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  clearTimeout(timer)
  if (signal === 'SIGINT') return undefined // it had not even begun
  return read(printed)
}

const read = (printed: string): Seen | undefined => {
  const json = printed.slice(printed.lastIndexOf('\n{'))
  if (!json.startsWith('\n{')) throw new Error(`wrk told nothing:\n${printed}`)
  const { badAnswers, socketErrors, ...seen } = JSON.parse(json) as Seen & { badAnswers: number; socketErrors: number }
  if (badAnswers + socketErrors > 0) throw new Error(`under load, ${badAnswers} answers were no 2xx, and ${socketErrors} connections failed`)
  return seen.requests > 0 ? seen : undefined
}
