import type { Manifest, NamespaceManager } from '../../src/namespace-manager.js'
import { withMethods } from '../security/support.js'

/** The same manager, that claims something else. */
export const withSupports = (manager: NamespaceManager, supports: Partial<Manifest>): NamespaceManager =>
  ({ ...withMethods(manager, {}), supports: { ...manager.supports, ...supports } }) as NamespaceManager
