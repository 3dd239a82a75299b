// What all are measured against: Node's own server, and nothing else.
import { createServer } from 'node:http'
import { announce } from './announce.js'
import { UNTOUCHED } from './job.js'

await announce(createServer((_req, res) => res.end(UNTOUCHED)).listen(0, '127.0.0.1'))
