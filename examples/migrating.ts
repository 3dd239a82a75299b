// Moving to another store without logging anybody out: restart it with STEP=1, then 2, 3 and 4, one process after the other.
import { createServer } from 'node:http'
import { withSession } from 'phial'
import type { SettingsInput } from 'phial'
import { migrating } from 'phial/backends/migrating'

const [from, to] = [{ type: 'file', dataDir: 'old' }, { type: 'file', dataDir: 'new' }]

const steps: Record<string, SettingsInput> = {
  1: from,
  2: { type: migrating({ from, to, createIn: 'from' }) }, // every process learns of the new store
  3: { type: migrating({ from, to }) }, // new sessions are made there; the others stay where they are until they end
  4: to, // when the longest life of a session has passed
}

const app = withSession<{ visits: number }>(async (req, res) => {
  const session = await req.session.load()
  await session.update('visits', (n = 0) => n + 1)
  res.end(`visit ${session.get('visits')}\n`)
}, { secret: process.env.PHIAL_SECRET, secure: 'auto' }, steps[process.env.STEP ?? 1])

const port = Number(process.env.PORT ?? 5000)
createServer(app).listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}`))
