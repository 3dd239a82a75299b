import type { CostedStore, Costs, StoreCosts } from '../growth/costs.js'
import { entitySize } from './entity-size.js'
import { bits, bytes, measuredAt, rounded } from './figures.js'
import { factorOf } from './growth-factors.js'
import type { Growth } from './growth-factors.js'
import type { CapacityInput, CapacityStore } from './input.js'
import { MEMORY_DEFAULTS, cookieRefusalOf, refusalOf } from './limits.js'
import { cookieSize, recordSize } from './record-size.js'

/** What a store needs, and how it was reckoned. */
export interface Needs {
  readonly store: string
  readonly steps: readonly Step[]
  readonly summary: Summary
  /** phial would refuse such sessions in this store. */
  readonly isRefused?: boolean
}

export interface Step {
  readonly what: string
  readonly working: string
  readonly result: string
}

export interface Summary {
  /** Memory or disk. */
  readonly room: string
  readonly commands: string
  /** Out of the store, and into it. */
  readonly bandwidth: string
  readonly nodes: string
}

/** A core that is busier than this lets its clients wait; and half of it is free when others fail. */
const BUSY = 0.5
/** Of a redis node's memory: the rest is for fragments, buffers, and the copies that a snapshot or a rewriting makes. */
const REDIS_ROOM = 0.6
/** Of memcached's: the rest is for its table and buffers, and for chunks of other sizes. */
const MEMCACHED_ROOM = 0.9
/** Worker threads, as memcached has by default. */
const MEMCACHED_THREADS = 4
/** Seconds between two touches of a session that is in use: `touch_interval`. */
const TOUCH = 60
/** Of a touch on its way to a replica: `PEXPIREAT`, a key, a time. */
const TOUCH_BYTES = 150
/** Of the disk, for a save. */
const FLUSHES = 2
/** Of one machine. */
const MOST_CORES = 64
/** What V8 takes for its heap at most, unless it is told otherwise, on a machine of 16 GB or more. */
const HEAP = 4e9
/** Of the heap, for sessions: the application has its own there, and a collector with little room left collects without end. */
const HEAP_ROOM = 0.5
/** A reply that tells an owner's generation, beside what each reply has: a version and a random word. */
const GENERATION_BYTES = 50

const NOT_FOR_SO_MANY = 'not for so many'

export const needsOf = (store: CapacityStore, input: CapacityInput, costs: Costs, growth: Growth = {}): Needs => {
  const refused = store === 'cookie' ? undefined : refusalOf(store, recordSize(input.size, { owned: input.owners, encrypted: input.encrypted }))
  return { store, ...(refused === undefined ? reckoners[store](input, costs, growth) : refusal(input, refused)) }
}

type Reckoned = Omit<Needs, 'store'>

/** Without the rest of the reckoning: there is nothing to plan. */
const refusal = (input: CapacityInput, why: string, working = new Working()): Reckoned => {
  if (working.steps.length === 0) loadOf(working, input)
  working.note('verdict', why, 0, () => 'does not fit')
  return { steps: working.steps, summary: { room: '–', commands: '–', bandwidth: '–', nodes: 'does not fit' }, isRefused: true }
}

/** Notes a step and gives its result on. */
class Working {
  readonly steps: Step[] = []

  note<T extends number>(what: string, working: string, result: T, unit: (value: number) => string = rounded): T {
    this.steps.push({ what, working, result: unit(result) })
    return result
  }
}

interface Load {
  readonly requests: number
  readonly saves: number
  readonly record: number
  /** Reads that move a session's end. */
  readonly touches: number
}

/** The beginning, which is the same for all. */
const loadOf = (working: Working, { sessions, size, requests, saves, owners, encrypted }: CapacityInput): Load => {
  const asked = working.note('requests', `${rounded(sessions)} sessions × ${rounded(requests)} a second`, sessions * requests, perSecond)
  const saving = working.note('of them saving', `${rounded(asked)} × ${saves}`, asked * saves, perSecond)
  const kind = `${encrypted ? ', encrypted' : ''}${owners ? ', with an owner' : ''}`
  const record = working.note('record', `${rounded(size)} bytes of data and phial's line${kind}`, recordSize(size, { owned: owners, encrypted }), bytes)
  return { requests: asked, saves: saving, record, touches: Math.min(asked, sessions / TOUCH) }
}

const costsOf = ({ stores }: Costs, store: CostedStore): StoreCosts => {
  const there = stores[store]
  if (there === undefined) throw new TypeError(`${store} was not measured`)
  return there
}

const footprint = (working: Working, { footprints, owner }: StoreCosts, kind: 'bytes' | 'diskBytes', { record }: Load, { owners, sessions }: CapacityInput, name: string): number => {
  const own = measuredAt(footprints.map((point) => ({ record: point.record, value: point[kind]! })), record)
  const more = owners ? owner[kind]! : 0
  const each = working.note(`${name} a session`, `measured around a record of ${rounded(record)} bytes${owners ? ', an owner with it' : ''}`, own + more, bytes)
  return working.note(name, `${rounded(sessions)} × ${rounded(each)} bytes`, sessions * each, bytes)
}

/** What one operation takes of the process, in µs. */
const cpuOf = (working: Working, store: CostedStore, call: 'read' | 'save', cpuUs: number, input: CapacityInput, growth: Growth): number => {
  const { byCount, bySize } = factorOf(store, call, input, growth)
  const what = call === 'read' ? 'CPU of a read' : 'CPU of a read and save'
  const unknown = growth.count === undefined || growth.size === undefined ? '; growth was not measured in full' : ''
  return working.note(what, `${rounded(cpuUs)} µs × ${rounded(byCount)} for ${rounded(input.sessions)} sessions × ${rounded(bySize)} for ${rounded(input.size)} bytes${unknown}`, cpuUs * byCount * bySize, microseconds)
}

/** The cores that an application needs for its sessions alone, its own work not counted. */
const processes = (working: Working, store: CostedStore, { read, save }: StoreCosts, load: Load, input: CapacityInput, growth: Growth): number => {
  const readUs = cpuOf(working, store, 'read', read.cpuUs, input, growth)
  const more = Math.max(0, cpuOf(working, store, 'save', save.cpuUs, input, growth) - readUs)
  const { requests, saves } = load
  const owned = input.owners ? ownedCalls(store, load) : 0
  const forOwners = input.owners ? ` + ${rounded(owned)} calls for owners × ${rounded(readUs)} µs, each as a read` : ''
  const left = input.encrypted ? '; what encrypting takes was not measured, and is not in it' : ''
  const how = `(${rounded(requests)} × ${rounded(readUs)} µs + ${rounded(saves)} × ${rounded(more)} µs more${forOwners}) / ${BUSY}, as cores are to be half busy: cores for sessions alone${left}`
  return working.note('application', how, ((requests + owned) * readUs + saves * more) / 1e6 / BUSY, cores)
}

/**
 * What the store is asked besides for sessions with owners: the owner's generation at each read and save, and where owners have an index, the
 * session's entry in it at each save and touch.
 */
const ownedCalls = (store: CostedStore, { requests, saves, touches }: Load): number => requests + saves + (store === 'memcache' ? 0 : saves + touches)

/** A session's end is moved by a read, though not by each. */
const touchesOf = (working: Working, { requests, touches }: Load, { sessions }: CapacityInput): number =>
  working.note('touches', `reads that move a session's end: the smaller of ${rounded(requests)} requests and ${rounded(sessions)} sessions / ${TOUCH} s of touch_interval`, touches, perSecond)

interface Traffic {
  readonly commands: number
  readonly serverCores: number
  readonly out: number
  readonly into: number
}

/** To a server and from it. What is asked for owners was not measured: it is reckoned as reads of a short record. */
const traffic = (working: Working, store: 'redis' | 'memcache', { read, save, footprints }: StoreCosts, load: Load, { owners }: CapacityInput): Traffic => {
  const { requests, saves, record } = load
  const owned = owners ? ownedCalls(store, load) : 0
  const also = (each: string): string => (owners ? ` + ${rounded(owned)} for owners${each}` : '')
  const commands = working.note('commands', `${rounded(requests)} to read + ${rounded(saves)} to save${also('')}`, requests + saves + owned, perSecond)
  const readUs = read.serverCpuUs!
  const saveUs = Math.max(0, save.serverCpuUs! - readUs)
  const work = `${rounded(requests)} × ${rounded(readUs)} µs + ${rounded(saves)} × ${rounded(saveUs)} µs${also(` × ${rounded(readUs)} µs, each as a read`)}; each command by itself`
  const serverCores = working.note('the server\'s work', work, ((requests + owned) * readUs + saves * saveUs) / 1e6, cores)
  const measured = footprints.find((point) => point.record >= 1_000)!.record
  const grown = recordSize(1_000) // as it is after some saves: so it was when saves were measured
  const reply = Math.max(0, read.bytesOut! - measured)
  const answer = Math.max(0, save.bytesOut! - read.bytesOut! - (grown - measured))
  const out = working.note('out of it', `(${rounded(requests)} × (${rounded(record)} + ${rounded(reply)}) + ${rounded(saves)} × ${rounded(answer)}${also(` × (${GENERATION_BYTES} + ${rounded(reply)})`)}) bytes`, requests * (record + reply) + saves * answer + owned * (GENERATION_BYTES + reply), bits)
  const saved = Math.max(0, save.bytesIn! - read.bytesIn! - grown)
  const into = working.note('into it', `(${rounded(requests)} × ${rounded(read.bytesIn!)} + ${rounded(saves)} × (${rounded(record)} + ${rounded(saved)})${also(` × ${rounded(read.bytesIn!)}`)}) bytes`, (requests + owned) * read.bytesIn! + saves * (record + saved), bits)
  return { commands, serverCores, out, into }
}

const redis = (input: CapacityInput, costs: Costs, growth: Growth): Reckoned => {
  const working = new Working()
  const measured = costsOf(costs, 'redis')
  const load = loadOf(working, input)
  const memory = footprint(working, measured, 'bytes', load, input, 'memory')
  const { commands, serverCores, out, into } = traffic(working, 'redis', measured, load, input)
  const room = working.note('room of a node', `${rounded(input.nodeMemory)} GB × ${REDIS_ROOM}: the rest for fragments, buffers, copies while it writes to disk`, input.nodeMemory * 1e9 * REDIS_ROOM, bytes)
  const forMemory = working.note('masters for memory', `${bytes(memory)} / ${bytes(room)}, rounded up`, Math.ceil(memory / room))
  const forWork = working.note('masters for work', `${cores(serverCores)} / ${BUSY}, as its core is to be half busy, rounded up: redis works on one`, Math.ceil(serverCores / BUSY))
  const wanted = Math.max(1, forMemory, forWork)
  const masters = working.note('masters', wanted === 1 ? 'the larger of the two: a single one' : 'the larger of the two, and at least 3 as a Cluster', wanted === 1 ? 1 : Math.max(3, wanted))
  const { replicas } = input
  const nodes = working.note('nodes', `${rounded(masters)} × (1 + ${replicas} replicas), each as large as its master, so that it can take its place`, masters * (1 + replicas))
  const touches = touchesOf(working, load, input)
  // An owner's set gets an entry and a new end.
  const sets = input.owners ? 2 * (load.saves + touches) : 0
  const forSets = input.owners ? ` + ${rounded(sets)} for owners × ${TOUCH_BYTES}` : ''
  working.note('to the replicas', `${replicas} × (${rounded(load.saves)} × ${rounded(load.record)} + ${rounded(touches)} touches × ${TOUCH_BYTES}${forSets}) bytes`, replicas * (load.saves * load.record + (touches + sets) * TOUCH_BYTES), bits)
  if (masters > 1) working.note('one master lost', `1 / ${rounded(masters)} of the sessions wait for its replica`, 100 / masters, percent)
  processes(working, 'redis', measured, load, input, growth)
  const how = replicas === 0 ? '' : masters === 1 ? ` (1 master, ${replicas} ${replicas === 1 ? 'replica' : 'replicas'}, and 3 sentinels)` : ` (${rounded(masters)} masters)`
  return { steps: working.steps, summary: { room: bytes(memory), commands: perSecond(commands), bandwidth: `${bits(out)}, ${bits(into)}`, nodes: `${rounded(nodes)}${how}` } }
}

const memcache = (input: CapacityInput, costs: Costs, growth: Growth): Reckoned => {
  const working = new Working()
  const measured = costsOf(costs, 'memcache')
  const load = loadOf(working, input)
  const memory = footprint(working, measured, 'bytes', load, input, 'memory')
  const { commands, serverCores, out, into } = traffic(working, 'memcache', measured, load, input)
  const room = working.note('room of a node', `${rounded(input.nodeMemory)} GB × ${MEMCACHED_ROOM}`, input.nodeMemory * 1e9 * MEMCACHED_ROOM, bytes)
  const forMemory = working.note('nodes for memory', `${bytes(memory)} / ${bytes(room)}, rounded up`, Math.ceil(memory / room))
  const forWork = working.note('nodes for work', `${cores(serverCores)} / (${MEMCACHED_THREADS} × ${BUSY}), rounded up: memcached works on ${MEMCACHED_THREADS} cores, unless -t says otherwise, and they are to be half busy`, Math.ceil(serverCores / MEMCACHED_THREADS / BUSY))
  const nodes = working.note('nodes', 'the larger of the two, and at least 2', Math.max(2, forMemory, forWork))
  working.note('one node lost', `1 / ${rounded(nodes)} of the sessions are gone, and as many requests fail until it is back or out of the list; nobody takes its place, so no node needs room for another's`, 100 / nodes, percent)
  processes(working, 'memcache', measured, load, input, growth)
  return { steps: working.steps, summary: { room: bytes(memory), commands: perSecond(commands), bandwidth: `${bits(out)}, ${bits(into)}`, nodes: rounded(nodes) } }
}

const file = (input: CapacityInput, costs: Costs, growth: Growth): Reckoned => {
  const working = new Working()
  const measured = costsOf(costs, 'file')
  const load = loadOf(working, input)
  const disk = footprint(working, measured, 'diskBytes', load, input, 'disk')
  const each = measured.footprints[0]!.inodes! + (input.owners ? measured.owner.inodes! : 0)
  const inodes = working.note('inodes', `${rounded(input.sessions)} × ${rounded(each)}`, input.sessions * each)
  working.note('files in a directory', `${rounded(input.sessions)} / 256`, input.sessions / 256)
  working.note('bytes of disk for an inode', `${bytes(disk)} / ${rounded(inodes)}; a file system made with more bytes for each inode (ext4: 16,384) runs out of inodes first`, disk / inodes, bytes)
  working.note('flushes', `${rounded(load.saves)} saves × ${FLUSHES}, a file and its directory, with sync = true as it is by default: look up how many the disk makes, and how long each takes`, load.saves * FLUSHES, perSecond)
  const fits = processes(working, 'file', measured, load, input, growth) <= MOST_CORES
  working.note('nodes', fits ? 'the processes of one machine share it; no other takes its place' : `one machine has no more than ${MOST_CORES} cores or so: take another store`, fits ? 1 : 0, (value) => (fits ? rounded(value) : NOT_FOR_SO_MANY))
  return { steps: working.steps, summary: { room: `${bytes(disk)} of disk, ${rounded(inodes)} inodes`, commands: perSecond(load.requests + load.saves), bandwidth: '–', nodes: fits ? '1, not more' : NOT_FOR_SO_MANY } }
}

const memory = (input: CapacityInput, costs: Costs, growth: Growth): Reckoned => {
  const working = new Working()
  const measured = costsOf(costs, 'memory')
  const load = loadOf(working, input)
  const heap = footprint(working, measured, 'bytes', load, input, 'memory')
  const each = heap / input.sessions
  const most = working.note('sessions of a process', `${bytes(HEAP)} × ${HEAP_ROOM} / ${rounded(each)} bytes: half of what V8 takes for its heap, as the application and the collector need the rest. --max-old-space-size gives it more; --node-memory says nothing of it`, Math.floor((HEAP * HEAP_ROOM) / each))
  memorySettings(working, load, input)
  const fits = processes(working, 'memory', measured, load, input, growth) <= 1 && input.sessions <= most
  working.note('processes', fits ? 'all requests go to it' : 'more than one process takes, and processes share nothing: take another store', fits ? 1 : 0, (value) => (fits ? rounded(value) : NOT_FOR_SO_MANY))
  return { steps: working.steps, summary: { room: bytes(heap), commands: '–', bandwidth: '–', nodes: fits ? '1 process, not more' : NOT_FOR_SO_MANY } }
}

/** Over these, sessions that are in use are given up. */
const memorySettings = (working: Working, { record }: Load, { sessions }: CapacityInput): void => {
  const { sessions: most, totalBytes } = MEMORY_DEFAULTS
  if (sessions > most) working.note('max_sessions', `to be set, as session.memory.max_sessions is ${rounded(most)} otherwise`, sessions)
  if (sessions * record > totalBytes) working.note('max_total_bytes', `to be set, as session.memory.max_total_bytes is ${rounded(totalBytes)} otherwise: ${rounded(sessions)} × ${rounded(record)}`, sessions * record)
}

/** Google counts operations and bytes. */
const datastore = (input: CapacityInput): Reckoned => {
  const working = new Working()
  const load = loadOf(working, input)
  const { entity, indexes } = entitySize(load.record)
  const each = working.note('storage a session', `${rounded(entity)} bytes of the entity + ${rounded(indexes)} of two entries of indexes, by Google's rules`, entity + indexes, bytes)
  const storage = working.note('storage', `${rounded(input.sessions)} × ${rounded(each)} bytes`, input.sessions * each, bytes)
  const { requests, saves } = load
  const touches = touchesOf(working, load, input)
  const owned = input.owners ? ownedCalls('redis', load) : 0
  const reads = working.note('reads', `${rounded(requests)}${input.owners ? ` + ${rounded(owned)} for owners; their entries are written so seldom that it is not counted` : ''}`, requests + owned, perSecond)
  const writes = working.note('writes', `${rounded(saves)} + ${rounded(touches)}, if no save falls together with a touch`, saves + touches, perSecond)
  working.note('minutes to grow into it', `from 500 writes a second by half every five minutes: 5 × log(${rounded(writes)} / 500) / log 1.5`, Math.max(0, (5 * Math.log(writes / 500)) / Math.log(1.5)))
  const [out, into] = [working.note('out of it', `${rounded(requests)} × ${rounded(entity)} bytes`, requests * entity, bits), working.note('into it', `${rounded(writes)} × ${rounded(entity)} bytes: a touch writes the whole entity`, writes * entity, bits)]
  working.note('a day at this pace', `(${rounded(reads)} reads + ${rounded(writes)} writes) × 86,400, as they are billed`, (reads + writes) * 86_400)
  return { steps: working.steps, summary: { room: bytes(storage), commands: `${perSecond(reads + writes)}`, bandwidth: `${bits(out)}, ${bits(into)}`, nodes: 'Google\'s' } }
}

const cookie = (input: CapacityInput): Reckoned => {
  const working = new Working()
  // Not the record is encrypted, but the cookie that has it.
  const { requests, saves, record } = loadOf(working, { ...input, encrypted: false })
  const octets = working.note('cookie', `the record ${input.encrypted ? 'encrypted' : 'signed'}, in base64url`, cookieSize(input.size, { owned: input.owners, encrypted: input.encrypted }), bytes)
  const refused = cookieRefusalOf(octets) ?? refusalOf('cookie', record)
  if (refused !== undefined) return refusal(input, refused, working)
  const into = working.note('from browsers', `${rounded(requests)} × ${rounded(octets)} octets, on every request to the site besides, whether it reads its session or not`, requests * octets, bits)
  const out = working.note('to browsers', `${rounded(saves)} × ${rounded(octets)} octets`, saves * octets, bits)
  return { steps: working.steps, summary: { room: 'the browsers\'', commands: '–', bandwidth: `${bits(out)}, ${bits(into)}`, nodes: 'none' } }
}

const reckoners: Readonly<Record<CapacityStore, (input: CapacityInput, costs: Costs, growth: Growth) => Reckoned>> = { memory, file, redis, memcache, datastore, cookie }

const perSecond = (value: number): string => `${rounded(value)}/s`
const cores = (value: number): string => `${value.toLocaleString('en', { maximumSignificantDigits: 2 })} cores`
const percent = (value: number): string => `${value.toLocaleString('en', { maximumSignificantDigits: 2 })} %`
const microseconds = (value: number): string => `${rounded(value)} µs`
