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

/** What the command line asks for: answers words to print. Throws, and says why, when it makes no sense. */
const asked = (): (() => string | Promise<string>) => {
  const { values: { help, ...values }, positionals } = parseArgs({ allowPositionals: true, options })
  const [command = '', argument, ...more] = positionals
  if (help) return () => usage
  if (!Object.hasOwn(commands, command)) throw new TypeError(command === '' ? 'a command is missing' : `there is no command '${command}'`)
  if (more.length > 0) throw new TypeError(`Unexpected argument '${more[0]}'`)
  return commands[command as keyof typeof commands](argument, values)
}

const options = {
  help: { type: 'boolean', short: 'h' },
  section: { type: 'string' },
  host: { type: 'string' },
  port: { type: 'string' },
} as const

type Values = Readonly<Partial<Record<'section' | 'host' | 'port', string>>>

const commands = {
  init: (folder = '.', values: Values) => {
    for (const name of Object.keys(values)) throw new TypeError(`init takes no '--${name}'`)
    return () => init(folder)
  },
  serve: (file = 'development.ini', { section, host, port }: Values) => {
    if (host !== undefined && readHost(host) === undefined) throw new TypeError('--host: expected an address or a name of this machine')
    const at = port === undefined ? undefined : readPort(port)
    if (port !== undefined && at === undefined) throw new TypeError('--port: expected a port, 0 to 65535')
    return () => serve({ file, section, host, port: at })
  },
}

const main = async (): Promise<number> => {
  let work: ReturnType<typeof asked>
  try {
    work = asked()
  } catch (error) {
    const [reason] = (error as Error).message.split('. ', 1)
    process.stderr.write(`${usage}\nphial: ${reason}\n`)
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
