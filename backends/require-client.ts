import { createRequire } from 'node:module'
import { DependencyError } from '../src/errors.js'

/**
 * Loads the client of a server when a manager that needs it is made, so that nobody else pays for it. Throws `DependencyError` with the
 * install command when it is not there; a fault of the package itself is thrown as it is.
 */
export const requireClient = <Client>(packageName: string, version: string, type: string): Client => {
  try {
    return createRequire(import.meta.url)(packageName) as Client
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'MODULE_NOT_FOUND') throw cause
    const install = `npm install ${packageName}@${version}`
    throw new DependencyError(`type: ${type} needs a package that is not installed: ${install}`, { setting: 'type', cause })
  }
}
