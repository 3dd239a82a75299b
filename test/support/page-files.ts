import { mkdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Teardown } from './app.js'
import { site } from './composite-site.js'
import { root } from './demo-program.js'

/** The blocks of a page that are files: each stands below a comment with its name. */
export const filesOn = (page: string): Record<string, string> =>
  Object.fromEntries([...page.matchAll(/<!-- file: (\S+) -->\n```\w+\n(.*?)^```$/gms)].map(([, name, text]) => [name!, text!]))

/** A folder with these files, in which the package is installed as it was built here. */
export const siteWithPhial = (t: Teardown, files: Readonly<Record<string, string>>): string => {
  const folder = dirname(site(t, files))
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(root, join(folder, 'node_modules/phial'), 'junction')
  return folder
}
