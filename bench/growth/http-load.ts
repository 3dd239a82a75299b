import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'

const CONNECTIONS = 8

/** What the server of a scene answers to each request. */
export const BODY = 'read'

/** Asks a server on loopback for as long as it is told, over connections that are kept; how many answers came. */
export const loadServer = async (port: number, cookies: readonly string[], ms: number): Promise<number> => {
  const sockets = Array.from({ length: CONNECTIONS }, () => connect(port, '127.0.0.1').setNoDelay(true))
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  const end = performance.now() + ms
  let next = 0
  const lane = async (socket: Socket): Promise<void> => {
    while (performance.now() < end) await answered(socket, cookies[next++ % cookies.length]!)
  }
  await Promise.all(sockets.map(lane))
  for (const socket of sockets) socket.destroy()
  return next
}

const answered = (socket: Socket, cookie: string): Promise<void> => new Promise((resolve, reject) => {
  let text = ''
  const settle = (error?: Error): void => {
    socket.off('data', hear).off('close', closed)
    if (error === undefined) resolve()
    else reject(error)
  }
  const hear = (chunk: Buffer): void => {
    text += chunk.toString('latin1')
    if (text.endsWith(`\r\n\r\n${BODY}`)) settle(text.startsWith('HTTP/1.1 200 ') ? undefined : new Error(text))
  }
  const closed = (): void => settle(new Error(`closed after ${text}`))
  socket.on('data', hear).once('close', closed)
  socket.write(`GET / HTTP/1.1\r\nHost: localhost\r\nCookie: ${cookie}\r\n\r\n`)
})
