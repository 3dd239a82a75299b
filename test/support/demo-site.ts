import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Client, Teardown } from './app.js'
import { folder, Program, root, start } from './demo-program.js'

export const serverScript: string = join(root, 'dist/examples/demo/server.js')

/** A machine that does much else may be slower than a site is to be. */
const PATIENT = {
  '#session.operation_timeout = 1': 'session.operation_timeout = 30',
  '#session.request_budget = 2': 'session.request_budget = 60',
}

/** A folder as a fresh clone has it: settings, of which these lines are others, and no secret yet. */
export const freshFolder = (t: Teardown, lines: Readonly<Record<string, string>> = {}): string => {
  const path = folder(t)
  const settings = readFileSync(join(root, 'development.ini'), 'utf8')
  writeFileSync(join(path, 'development.ini'), Object.entries({ ...PATIENT, ...lines }).reduce(changeLine, settings))
  return path
}

const changeLine = (text: string, [from, to]: readonly [from: string, to: string]): string => {
  if (!text.includes(`\n${from}\n`)) throw new Error(`there is no line ${from}`)
  return text.replace(`\n${from}\n`, `\n${to}\n`)
}

export interface Site {
  readonly program: Program
  readonly url: string
}

export const startSite = async (t: Teardown, cwd: string): Promise<Site> => {
  const program = start(t, serverScript, { cwd, env: { PORT: '0' } })
  const [url] = await program.says(/http:\/\/127\.0\.0\.1:\d+/)
  return { program, url }
}

/** A token of the client's session, as the forms of a page have it. */
export const tokenFrom = async (client: Client, page: string): Promise<string> => {
  const [, token] = /name="csrf_token" value="([\w-]+)"/.exec(await client.text(page)) ?? []
  if (token === undefined) throw new Error(`${page} has no form`)
  return token
}

/** Sends a form as a browser does from the site itself. The token is from a page that changes nothing; any of the session's is good. */
export const submit = async (client: Client, path: string, fields: Record<string, string> = {}, page = '/guarded'): Promise<Response> => {
  const body = new URLSearchParams({ csrf_token: await tokenFrom(client, page), ...fields })
  return client.get(path, { method: 'POST', body, headers: { 'Sec-Fetch-Site': 'same-origin' } })
}

/** Sends a form and goes where it leads. */
export const submitAndFollow = async (client: Client, path: string, fields: Record<string, string> = {}): Promise<string> => {
  const answer = await submit(client, path, fields)
  if (answer.status !== 303) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`)
  return client.text(answer.headers.get('location')!)
}

/** What a page says, without its code and tags. */
export const wordsOf = (page: string): string =>
  page.replace(/<figure.*<\/figure>/s, '').replace(/^.*<main>|<\/main>.*$/gs, '').replaceAll(/<[^>]+>/g, ' ').replaceAll(/\s+/g, ' ').trim()
