export { FaultyStore } from '../../testing/faulty-store.js'
export type { Fault } from '../../testing/faulty-store.js'
