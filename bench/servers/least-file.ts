import { readFile, rename, writeFile } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { serveLeastStore } from './least-store.js'

const [read, write, move] = [promisify(readFile), promisify(writeFile), promisify(rename)]
const directory = process.argv[2]!
let written = 0

await serveLeastStore({
  get: (id) => read(join(directory, id), 'utf8').catch(() => undefined),
  async set(id, text) {
    written += 1
    const aside = join(directory, `${written}.tmp`)
    await write(aside, text)
    await move(aside, join(directory, id))
  },
})
