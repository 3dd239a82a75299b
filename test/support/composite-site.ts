import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Teardown } from './app.js'
import { temporaryDirectory } from './every-backend.js'

/** A folder with these files. Answers the path of the first. */
export const site = (t: Teardown, files: Readonly<Record<string, string>>): string => {
  const folder = temporaryDirectory(t)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return join(folder, Object.keys(files)[0]!)
}
