import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { isHttp1, type GatedResponse } from './gated-response.js'

/** Calls back when the response is complete or its connection closed; later, if it is so already; perhaps more than once. */
export const onceOver = (res: GatedResponse, callback: () => void): void => {
  res.on('finish', callback)
  res.on('close', callback)
  if (isHttp1(res) ? res.closed : res.stream.closed) queueMicrotask(callback)
  else if (isHttp1(res) && res.socket === null) onceCutOff(res, callback)
}

const waiting = new WeakMap<Socket, Set<() => void>>()

/** Node does not tell a pipelined response that still waits for its turn that the connection was closed. */
const onceCutOff = (res: ServerResponse, callback: () => void): void => {
  const { socket } = res.req
  if (socket.destroyed) return queueMicrotask(callback)
  const callbacks = waiting.get(socket) ?? callBackOnClose(socket)
  callbacks.add(callback)
  res.once('socket', () => callbacks.delete(callback))
}

/** One listener, however many responses wait. */
const callBackOnClose = (socket: Socket): Set<() => void> => {
  const callbacks = new Set<() => void>()
  waiting.set(socket, callbacks)
  socket.once('close', () => {
    for (const callback of callbacks) callback()
  })
  return callbacks
}
