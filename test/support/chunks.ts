import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { PassThrough } from 'node:stream'

/**
 * An answer's text as it can be compared where the same calls come at other times. From Node 26 on, what is written within one tick
 * leaves as one chunk: there, chunks are joined; before, they are to be the same. Where chunks end means nothing (RFC 9112, section 7.1).
 */
export const withoutTiming = (text: string): string => joinsChunks ? joinChunks(text) : text

/** What is no whole chunk stays as it is, and all that comes after it. */
const joinChunks = (text: string): string => {
  const head = /^Transfer-Encoding: chunked\r\n(?:.+\r\n)*\r\n/im.exec(text)
  if (head === null) return text
  const start = head.index + head[0].length
  const [data, end] = takeChunks(text, start)
  return text.slice(0, start) + (data && `${data.length.toString(16)}\r\n${data}\r\n`) + text.slice(end)
}

const takeChunks = (text: string, start: number): [data: string, end: number] => {
  let data = ''
  let at = start
  for (;;) {
    const [line, size = ''] = /^([1-9a-f][\da-f]*)\r\n/.exec(text.slice(at, at + 10)) ?? ['']
    const from = at + line.length
    const to = from + Number.parseInt(size, 16)
    if (line === '' || text.slice(to, to + 2) !== '\r\n') return [data, at]
    data += text.slice(from, to)
    at = to + 2
  }
}

/** Asked of Node itself: the size of the first chunk, behind the head, for two writes of one byte. */
const joinsChunks = ((): boolean => {
  const req = Object.assign(new IncomingMessage(new Socket()), { httpVersionMajor: 1, httpVersionMinor: 1 })
  const res = new ServerResponse(req)
  const wire = new PassThrough()
  res.assignSocket(wire as unknown as Socket)
  res.write('a')
  res.end('b')
  return String(wire.read()).includes('\r\n\r\n2')
})()
