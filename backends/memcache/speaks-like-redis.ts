import { connect } from 'node:net'
import { hangUp } from './hang-up.js'
import type { Address } from './url.js'

/**
 * Whether redis listens there. It waits for the end of a line that the binary protocol never sends, so that nothing else tells it from a
 * memcached that hangs. memcached says `ERROR`, or nothing. Keeps no process alive.
 */
export const speaksLikeRedis = ({ target }: Address, ms: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(target)
    const answer = (speaks: boolean): void => {
      hangUp(socket)
      resolve(speaks)
    }
    socket.unref()
    socket.setTimeout(ms, () => answer(false))
    socket.on('error', () => answer(false))
    socket.on('close', () => answer(false))
    socket.once('data', ([first]) => answer(first === PLUS || first === MINUS))
    socket.write('PING\r\n')
  })

/** The first byte of redis's simple strings and errors. */
const PLUS = 0x2b
const MINUS = 0x2d
