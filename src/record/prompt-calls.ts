import type { AtOnce, NamespaceManager } from '../namespace-manager.js'

/** A store's calls: without a promise where it has such, else as they are. */
export const promptCalls = (store: NamespaceManager): Required<AtOnce> => ({
  get: (key, touch) => store.get(key, touch),
  create: (key, value, expiresAt) => store.create(key, value, expiresAt),
  replace: (key, value, version, expiresAt) => store.replace(key, value, version, expiresAt),
  ...store.atOnce,
})
