import { spawnSync } from 'node:child_process'
import { cpus, release, totalmem, type } from 'node:os'
import { isPinned } from './cores.js'

/** What the figures depend on, without a word of whose machine it is. */
export const describeMachine = (): Record<string, string | number | boolean | undefined> => ({
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  cores: cpus().length,
  memoryGB: Math.round(totalmem() / 2 ** 30),
  system: `${type()} ${release().split('-')[0]}`,
  node: process.version,
  serverHasACore: isPinned,
  wrk: versionOf('wrk', '-v'),
  redis: versionOf('redis-server', '--version'),
  memcached: versionOf('memcached', '--version'),
})

const versionOf = (program: string, flag: string): string | undefined => /\d+\.\d+\S*/.exec(spawnSync(program, [flag], { encoding: 'utf8' }).stdout ?? '')?.[0]
