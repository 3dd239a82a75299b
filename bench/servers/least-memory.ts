import { serveLeastStore } from './least-store.js'

await serveLeastStore(new Map<string, string>())
