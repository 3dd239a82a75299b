import type { Socket } from 'node:net'

/**
 * Ends a connection so that nothing more of it arrives: with an RST the system also takes back what it could not send yet, which would else
 * be delivered when the network heals.
 */
export const hangUp = (socket: Socket | undefined): void => {
  const isConnected = socket?.remoteAddress !== undefined && !socket.destroyed // and TCP: others know no RST
  if (isConnected) socket.resetAndDestroy()
  else socket?.destroy()
}
