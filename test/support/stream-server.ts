import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { gateOn } from './gated-server.js'

/**
 * Run as a process of its own, whose memory is looked at: streams so many megabytes through a gate that holds at the start and
 * now and then, and tells its port, then by how many megabytes it has grown.
 */
const megabytes = Number(process.argv[2])
const holdMs = Number(process.argv[3])
const chunksPerMegabyte = 16

const memory = (): number => process.memoryUsage.rss() / 2 ** 20

const server = createServer((_req, res) => {
  const before = memory()
  let most = before
  const gate = gateOn(res, {}, [])
  const hold = (): void => gate.hold(new Promise((resolve) => setTimeout(resolve, holdMs)))
  const chunks = function* (): Generator<Buffer> {
    for (let i = 0; i < megabytes * chunksPerMegabyte; i++) {
      if (i % (25 * chunksPerMegabyte) === 0) hold()
      most = Math.max(most, memory())
      yield Buffer.alloc(2 ** 20 / chunksPerMegabyte, 1)
    }
  }
  res.on('finish', () => {
    console.log(Math.round(most - before))
    server.close()
  })
  Readable.from(chunks()).pipe(res)
})
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
