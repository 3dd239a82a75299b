#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { init } from './init.js'

const usage = `Usage: phial init [folder]

Begins an application with sessions, in the folder or here: settings with all there is to set (development.ini), a fresh
secret (data/secret), and a program that counts visits. What is there already stays as it is.

  -h, --help  shows this
`

/** What the command line asks for; `undefined` when it makes no sense. */
const asked = (): { readonly help: boolean; readonly folder: string } | undefined => {
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options: { help: { type: 'boolean', short: 'h' } } })
    const [command, folder = '.', ...more] = positionals
    if (values.help) return { help: true, folder }
    return command === 'init' && more.length === 0 ? { help: false, folder } : undefined
  } catch {
    return undefined
  }
}

const main = (): number => {
  const task = asked()
  if (task === undefined) {
    process.stderr.write(usage)
    return 2
  }
  if (task.help) {
    process.stdout.write(usage)
    return 0
  }
  try {
    process.stdout.write(init(task.folder))
    return 0
  } catch (error) {
    process.stderr.write(`phial: ${(error as Error).message}\n`)
    return 1
  }
}

process.exitCode = main()
