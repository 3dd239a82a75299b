import type { Sealer } from '../../src/namespace-manager.js'
import { packEnvelope } from './envelope.js'

/** How many bytes of value, beside an id of 43 characters, fit into a sealed text of so many octets; -1: not even none. Found by trying. */
export const capacity = (sealer: Sealer, octets: number): number => {
  const fits = (bytes: number): boolean => sealer.seal('size', '', emptyEnvelope + 'x'.repeat(bytes)).length <= octets
  let most = -1
  for (let step = 2 ** Math.floor(Math.log2(octets)); step >= 1; step /= 2) {
    if (fits(most + step)) most += step
  }
  return most
}

const emptyEnvelope = packEnvelope({ id: 'x'.repeat(43), value: '', version: 'x'.repeat(22), issuedAt: 0, expiresAt: 0, forgetAt: undefined })
