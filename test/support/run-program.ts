import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Runs a module in a process of its own; `ROOT/` in it stands for the built library. Its output is all that it printed. */
export const runProgram = async (code: string, env: NodeJS.ProcessEnv = {}): Promise<{ readonly code: number | null; readonly output: string }> => {
  const root = new URL('../..', import.meta.url).href
  const args = ['--input-type=module', '--eval', code.replaceAll('ROOT/', root)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => { output += chunk })
  const [status] = (await once(child, 'close')) as [number | null]
  return { code: status, output }
}
