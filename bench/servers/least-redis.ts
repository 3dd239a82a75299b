import { Redis } from 'ioredis'
import { serveLeastStore } from './least-store.js'

const redis = new Redis(process.argv[2]!)

await serveLeastStore({
  get: async (id) => (await redis.get(id)) ?? undefined,
  set: (id, text) => redis.set(id, text, 'EX', 86_400),
})
