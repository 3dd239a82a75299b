import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import type { Teardown } from './app.js'

/** A server that takes connections and answers each command, of which it gets the name, with what `answer` says. Resolves to its port. */
export const scriptedRedis = async (t: Teardown, answer: (command: string, socket: Socket, port: number) => string | Buffer | undefined): Promise<number> => {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    const { localPort } = socket
    socket.on('error', () => undefined).on('data', (chunk) => {
      for (const [, command] of chunk.toString().matchAll(/^\*\d+\r\n\$\d+\r\n(\w+)\r\n/gm)) {
        const reply = answer(command!.toLowerCase(), socket, localPort!)
        if (reply !== undefined) socket.write(reply)
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
