#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { readHost, readPort } from '../config/server.js'
import { init } from './init.js'
import { serve } from './serve.js'

const usage = `Usage: phial init [folder]
       phial serve [file] [--section NAME] [--host HOST] [--port PORT]

init begins an application with sessions, in the folder or here: settings with all there is to set (development.ini), a fresh
secret (data/secret), and a program that counts visits. What is there already stays as it is, and what is missing is written.

serve serves the application that an INI file describes (development.ini, if none is named), until Ctrl-C.

  --section NAME  another application of the file than [app:main], [composite:main], [filter-app:main] or [pipeline:main]
  --host, --port  listens there, whatever [server:main] says; port 0 is any that is free
  -h, --help      shows this
`

/** What the command line asks for: answers words to print. `undefined` when it makes no sense. */
const asked = (): (() => string | Promise<string>) | undefined => {
  try {
    const { values: { help, ...values }, positionals } = parseArgs({ allowPositionals: true, options })
    const [command = '', argument, ...more] = positionals
    if (help) return () => usage
    return more.length === 0 && Object.hasOwn(commands, command) ? commands[command as keyof typeof commands](argument, values) : undefined
  } catch {
    return undefined
  }
}

const options = {
  help: { type: 'boolean', short: 'h' },
  section: { type: 'string' },
  host: { type: 'string' },
  port: { type: 'string' },
} as const

type Values = Readonly<Partial<Record<'section' | 'host' | 'port', string>>>

const commands = {
  init: (folder = '.', values: Values) => (Object.keys(values).length === 0 ? () => init(folder) : undefined),
  serve: (file = 'development.ini', { section, host, port }: Values) => {
    const address = { host: host === undefined ? undefined : readHost(host), port: port === undefined ? undefined : readPort(port) }
    if (address.host !== host || String(address.port) !== String(port)) return undefined
    return () => serve({ file, section, ...address })
  },
}

const main = async (): Promise<number> => {
  const work = asked()
  if (work === undefined) {
    process.stderr.write(usage)
    return 2
  }
  try {
    process.stdout.write(await work())
    return 0
  } catch (error) {
    process.stderr.write(`phial: ${(error as Error).message.replaceAll(/\s*\n\s*/g, ' ')}\n`)
    return 1
  }
}

void main().then((code) => {
  process.exitCode = code
})
