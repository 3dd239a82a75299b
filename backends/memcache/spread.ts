import { createHash } from 'node:crypto'

/**
 * Which of several servers has a key, by rendezvous hashing: each server draws a number for the key, and the highest has it. So their order
 * does not matter, a server that leaves the list gives away its own keys only, and one that comes takes its share and moves no other.
 *
 * Processes, and releases, must agree about it: it never changes.
 */
export const spreadOver = (names: readonly string[]): ((key: string) => number) => {
  const seeds = names.map((name) => createHash('sha256').update(name).digest().readInt32BE())
  if (seeds.length === 1) return () => 0
  return (key) => {
    const hash = hashOf(key)
    const draws = seeds.map((seed) => mixed(seed ^ hash))
    return draws.indexOf(Math.max(...draws))
  }
}

/** FNV-1a. Keys are digests already, so that nothing better is needed. */
const hashOf = (key: string): number => {
  let hash = 0x811c9dc5
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193)
  return hash
}

/** The last step of MurmurHash3: every bit of the result depends on every bit of the number. */
const mixed = (number: number): number => {
  const half = Math.imul(number ^ (number >>> 16), 0x85ebca6b)
  const full = Math.imul(half ^ (half >>> 13), 0xc2b2ae35)
  return (full ^ (full >>> 16)) >>> 0
}
