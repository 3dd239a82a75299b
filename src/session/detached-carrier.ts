import type { Carrier } from '../carrier.js'

/** For a session without a client: nothing comes, and what is sent goes nowhere. */
export const detachedCarrier: Carrier = {
  read: () => [],
  write: () => {},
  expire: () => {},
  forget: () => {},
  hold: () => {},
  fail: () => {},
  used: () => {},
  headersSent: false,
  finished: false,
}
