import { Client } from 'memjs'
import { serveLeastStore } from './least-store.js'

const memcached = Client.create(process.argv[2]!)

await serveLeastStore({
  get: async (id) => (await memcached.get(id)).value?.toString(),
  set: (id, text) => memcached.set(id, text, { expires: 86_400 }),
})
