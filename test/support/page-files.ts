import { spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { makeSecretFile } from '../../bin/secret-file.js'
import type { Teardown } from './app.js'
import { site } from './composite-site.js'
import { root } from './demo-program.js'
import { SECRET } from './harness.js'

/** The blocks of a page that are files: each stands below a comment with its name. */
export const filesOn = (page: string): Record<string, string> =>
  Object.fromEntries([...page.matchAll(/<!-- file: (\S+) -->\n```\w+\n(.*?)^```$/gms)].map(([, name, text]) => [name!, text!]))

/** Does the steps of a page that make its secret, and answers the environment after them. Installing is `siteWithPhial`, and what runs is the test's. */
export const doSteps = (page: string, cwd: string): NodeJS.ProcessEnv => {
  const lines = [...page.matchAll(/<!-- step: [a-z ]+ -->\n```sh\n(.*?)^```$/gms)].flatMap(([, block]) => block!.trim().split('\n'))
  const own = lines.filter((line) => !/^(?:npm install|node app\.mjs)/.test(line))
  if (own.length === 0) throw new Error('the page makes no secret')
  if (process.platform === 'win32') { // has no sh
    makeSecretFile(join(cwd, 'data/secret'))
    return { PHIAL_SECRET: SECRET }
  }
  const { status, stdout, stderr } = spawnSync('sh', ['-e', '-c', [...own, 'printf %s "$PHIAL_SECRET"'].join('\n')], { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return stdout === '' ? {} : { PHIAL_SECRET: stdout }
}

/** A folder with these files, in which the package is installed as it was built here. */
export const siteWithPhial = (t: Teardown, files: Readonly<Record<string, string>>): string => {
  const folder = dirname(site(t, files))
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(root, join(folder, 'node_modules/phial'), 'junction')
  return folder
}
