import { resolve } from 'node:path'
import { Hidden } from '../src/hidden.js'
import type { Backend, NamespaceManager, NamespaceManagerClass } from '../src/namespace-manager.js'
import type { BackendSettings } from '../src/settings.js'
import { asWritten, type Kind } from './kinds.js'
import { nameOfType, unfit } from './origin.js'

const isThing = (value: unknown): value is object => (typeof value === 'object' && value !== null && !Array.isArray(value)) || typeof value === 'function'

/** A word, a package, or a path, which starts where paths do. */
export const backendType: Kind<BackendSettings['type']> = {
  label: 'type of backend',
  read: asWritten,
  check(value, origin) {
    if (typeof value === 'string' && value.trim() !== '') return /^\.{1,2}\//.test(value) ? resolve(origin.base ?? '', value) : value
    if (isThing(value)) return value as Backend | NamespaceManager | NamespaceManagerClass
    throw unfit(origin, 'the type of a backend, or one of your own', value)
  },
}

export const isBackendName = (text: string): boolean => /^[\w-]{1,64}$/.test(text)

export const backendName: Kind<string> = {
  label: 'name of a backend',
  read: asWritten,
  check(value, origin) {
    if (typeof value === 'string' && isBackendName(value)) return value
    throw unfit(origin, 'the name of a backend: 1 to 64 of A-Z a-z 0-9 _ -', value)
  },
}

/** Another backend than the one whose option it is. */
export const otherBackend: Kind<string | Hidden<object>> = {
  label: 'name of a backend',
  read: asWritten,
  check: (value, origin) => (isThing(value) ? new Hidden(value) : backendName.check(value, origin)),
}

/** Nothing is one: what stands below each name are settings of their own. */
export const backendsByName: Kind<never> = {
  label: 'type of backend',
  read: asWritten,
  check(value, origin) {
    throw unfit(origin, 'an object with the settings of a backend under each name', value)
  },
}

/** Only its backend knows what it means. */
export const url: Kind<Hidden<string>> = {
  label: 'URL, never shown',
  read: asWritten,
  check(value, origin) {
    if (typeof value === 'string' && value.trim() !== '') return new Hidden(value)
    throw unfit({ ...origin, shown: origin.shown ?? (typeof value === 'string' ? 'none' : nameOfType(value)) }, 'a URL', value)
  },
}
