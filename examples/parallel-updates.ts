// Nothing is lost: a hundred writers of one session at once, each with what it read a moment ago.
import { randomBytes } from 'node:crypto'
import { createManager } from 'phial'

const manager = createManager<Record<string, number>>({ secret: randomBytes(32).toString('base64url') })

const session = await manager.create()
await session.save()

await Promise.all(Array.from({ length: 100 }, async (_, index) => {
  const same = await manager.getById(session.id) // as another request would have it
  await same?.set(`key ${index}`, index).save() // each its own key
  await same?.update('count', (n = 0) => n + 1) // and all of them one counter
}))

await session.reload()
console.log(`keys of their own: ${session.size - 1}, counted: ${session.get('count')}`)
await manager.close()
