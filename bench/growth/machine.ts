import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'
import { execFileSync } from 'node:child_process'

export interface Machine {
  readonly at: string
  readonly node: string
  readonly cores: number
  readonly processor: string
  readonly memoryGb: number
  /** Over the last minute, when it began and when it ended: about the number of cores that are busy. */
  readonly load: readonly [before: number, after: number]
  readonly servers: Readonly<Record<string, string>>
}

/** What is here besides what is measured. Call it at the beginning; what it answers is called at the end. */
export const lookAtMachine = (): (() => Machine) => {
  const [before] = loadavg()
  const at = new Date().toISOString()
  return () => ({
    at, node: process.version, cores: availableParallelism(), processor: cpus()[0]?.model ?? '', memoryGb: Math.round(totalmem() / 2 ** 30),
    load: [before!, loadavg()[0]!], servers: { redis: versionOf('redis-server', '--version'), memcached: versionOf('memcached', '-V') },
  })
}

/** Others were at work: what was measured beside them is preliminary. */
export const wasBusy = ({ load: [before] }: Machine): boolean => before > 0.5

const versionOf = (program: string, flag: string): string => {
  try {
    return /\d+(\.\d+)+/.exec(execFileSync(program, [flag], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))?.[0] ?? 'unknown'
  } catch {
    return 'not there'
  }
}
