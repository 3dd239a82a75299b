import type { Socket } from 'node:net'

/** Reads from the socket until what came holds the pattern; the socket stays open. */
export const hear = async (socket: Socket, pattern: RegExp): Promise<void> => {
  let text = ''
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    text += String(chunk)
    if (pattern.test(text)) return
  }
  throw new Error(`the connection closed after: ${text}`)
}
