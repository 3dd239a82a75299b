import type { Data } from './job.js'
import { serveLeast } from './least-server.js'
import { sign, unsign } from './signature.js'

await serveLeast({
  open(cookie) {
    const text = unsign(cookie)
    return text === undefined ? undefined : { id: '', data: JSON.parse(Buffer.from(text, 'base64url').toString()) as Data }
  },
  keep: (data) => sign(Buffer.from(JSON.stringify(data)).toString('base64url')),
})
