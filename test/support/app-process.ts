import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { SettingsInput } from '../../src/index.js'
import { clientOf } from './app.js'
import type { Client, Teardown } from './app.js'
import { SECRET } from './harness.js'

const program = fileURLToPath(new URL('settings-app.js', import.meta.url))

/** A server in a process of its own. */
export interface AppProcess {
  readonly url: string
  kill(signal: NodeJS.Signals): Promise<void>
}

/** Starts `settings-app` with these settings; deadlines are generous, since a busy machine is not what is tested. */
export const startApp = async (t: Teardown, settings: SettingsInput): Promise<AppProcess> => {
  const all = JSON.stringify({ secret: SECRET, secure: false, operationTimeout: 10, requestBudget: 20, ...settings })
  const child = spawn(process.execPath, [program, all], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const [line] = await once(child.stdout, 'data')
  return {
    url: String(line).trim(),
    kill: async (signal) => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      child.kill(signal)
      await gone
    },
  }
}

/** The same browser at another of the processes: cookies know no ports. */
export const at = ({ url }: AppProcess, { jar }: Client): Client => clientOf(url, jar)
