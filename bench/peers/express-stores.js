// The stores of express-session, each as its documentation sets it up.
import session from 'express-session'

export const stores = {
  memory: () => new session.MemoryStore(),

  async 'connect-redis'(url) {
    const [{ RedisStore }, { Redis }] = [await import('connect-redis'), await import('ioredis')]
    return new RedisStore({ client: new Redis(url) })
  },

  async 'connect-memjs'(address) {
    const MemjsStore = (await import('connect-memjs')).default(session)
    return new MemjsStore({ servers: [address] })
  },

  async 'connect-memcached'(address) {
    const MemcachedStore = (await import('connect-memcached')).default(session)
    return new MemcachedStore({ hosts: [address] })
  },

  async 'session-file-store'(path) {
    const FileStore = (await import('session-file-store')).default(session)
    return new FileStore({ path, logFn: () => {} })
  },

  async 'connect-datastore'(address) {
    const [{ DatastoreStore }, { Datastore }] = [await import('@google-cloud/connect-datastore'), await import('@google-cloud/datastore')]
    const { host, pathname } = new URL(address)
    process.env.DATASTORE_EMULATOR_HOST = host
    return new DatastoreStore({ kind: 'express-sessions', dataset: new Datastore({ projectId: pathname.slice(1) }) })
  },
}
