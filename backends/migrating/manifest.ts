import type { Manifest } from '../../src/namespace-manager.js'

const SCOPES = ['process', 'machine', 'shared'] as const

/** What both are able to do. What only one of them keeps to itself, or forgets, is not promised. */
export const inCommon = (one: Manifest, other: Manifest): Manifest => ({
  scope: SCOPES.find((scope) => scope === one.scope || scope === other.scope) ?? 'process',
  durable: one.durable && other.durable,
  atomic: one.atomic && other.atomic,
  revocable: one.revocable && other.revocable,
  maxValueBytes: Math.min(one.maxValueBytes, other.maxValueBytes),
  enumerable: one.enumerable && other.enumerable,
  purgeable: one.purgeable || other.purgeable,
  lockable: one.lockable && other.lockable,
  ownerIndex: one.ownerIndex && other.ownerIndex,
  verified: one.verified === true && other.verified === true,
})
