// Saves one session for ever, and prints each count that was acknowledged, with the session's id; or exits while it saves.
import { createManager } from '../../src/index.js'
import { SECRET } from '../support/harness.js'

const [, , settings, id, exitAt] = process.argv

const manager = createManager({ secret: SECRET, secure: false, ...JSON.parse(settings!) })
const session = (id ? await manager.getById(id) : undefined) ?? await manager.create()

for (let saves = 1; ; saves++) {
  const n = session.get('n', 0) + 1
  const saving = session.assign({ n, text: String(n % 10).repeat(5000) }).save()
  if (exitAt && saves > Number(exitAt)) setImmediate(() => process.exit())
  await saving
  console.log(`${n} ${session.id}`)
}
