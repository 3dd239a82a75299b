import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import test from 'ava'

const megabytes = Number(process.env['PHIAL_STREAM_MB'] ?? 100)
const holdMs = Number(process.env['PHIAL_STREAM_HOLD_MS'] ?? 200)

test(`S191: a stream of ${megabytes} MB through a slow store takes little memory`, async (t) => {
  const script = fileURLToPath(new URL('../support/stream-server.js', import.meta.url))
  const child = spawn(process.execPath, [script, String(megabytes), String(holdMs)], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill())
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const port = Number((await lines.next()).value)
  const [response] = await once(get({ port, host: '127.0.0.1', agent: false }), 'response') as [IncomingMessage]
  let received = 0
  for await (const chunk of response) received += (chunk as Buffer).length
  t.is(received, megabytes * 2 ** 20)
  const grown = Number((await lines.next()).value)
  // A process that streams for the first time grows by some 40 MB without any gate.
  t.true(grown < 75, `grown by ${grown} MB`)
})
