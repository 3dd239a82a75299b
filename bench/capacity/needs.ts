import type { CostedStore, Costs, StoreCosts } from '../growth/costs.js'
import { entitySize } from './entity-size.js'
import { bits, bytes, rounded } from './figures.js'
import type { CapacityInput, CapacityStore } from './input.js'
import { cookieSize, recordSize } from './record-size.js'

/** What a store needs, and how it was reckoned. */
export interface Needs {
  readonly store: string
  readonly steps: readonly Step[]
  readonly summary: Summary
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
/** Of one machine. */
const MOST_CORES = 64
/** Of one process's heap that sessions may take. */
const HEAP = 4e9
/** The largest record in one cookie; docs/cookies.md has what it depends on. */
const MOST_IN_COOKIE = 4096

export const needsOf = (store: CapacityStore, input: CapacityInput, costs: Costs): Needs => ({ store, ...reckoners[store](input, costs) })

type Reckoned = Omit<Needs, 'store'>

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
}

/** The beginning, which is the same for all. */
const loadOf = (working: Working, { sessions, size, requests, saves, owners, encrypted }: CapacityInput): Load => {
  const asked = working.note('requests', `${rounded(sessions)} sessions × ${rounded(requests)} a second`, sessions * requests, perSecond)
  const saving = working.note('of them saving', `${rounded(asked)} × ${saves}`, asked * saves, perSecond)
  const kind = `${encrypted ? ', encrypted' : ''}${owners ? ', with an owner' : ''}`
  const record = working.note('record', `${rounded(size)} bytes of data and phial's line${kind}`, recordSize(size, { owned: owners, encrypted }), bytes)
  return { requests: asked, saves: saving, record }
}

/** Between two measured records as on a straight line, beyond the last as between the last two. */
export const measuredAt = (points: readonly { readonly record: number; readonly value: number }[], record: number): number => {
  const sorted = points.toSorted((a, b) => a.record - b.record)
  const above = sorted.findIndex((point) => point.record >= record)
  const to = Math.max(1, above < 0 ? sorted.length - 1 : above)
  const [low, high] = [sorted[to - 1]!, sorted[to] ?? sorted[to - 1]!]
  if (low === high) return low.value
  return Math.max(0, low.value + ((high.value - low.value) * (record - low.record)) / (high.record - low.record))
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

/** The cores that an application needs for its sessions alone, its own work not counted. */
const processes = (working: Working, { read, save }: StoreCosts, { requests, saves }: Load): number => {
  const more = Math.max(0, save.cpuUs - read.cpuUs)
  return working.note('application', `(${rounded(requests)} × ${rounded(read.cpuUs)} µs + ${rounded(saves)} × ${rounded(more)} µs) / ${BUSY} busy: cores for sessions alone`, (requests * read.cpuUs + saves * more) / 1e6 / BUSY, cores)
}

interface Traffic {
  readonly commands: number
  readonly serverCores: number
  readonly out: number
  readonly into: number
}

/** To a server and from it. An owner's sessions take a command more to read, and two to save. */
const traffic = (working: Working, { read, save, footprints }: StoreCosts, { requests, saves, record }: Load, owners: boolean): Traffic => {
  const [perRead, perSave] = owners ? [2, 3] : [1, 1]
  const commands = working.note('commands', `${rounded(requests)} × ${perRead} to read + ${rounded(saves)} × ${perSave} to save`, requests * perRead + saves * perSave, perSecond)
  const readUs = read.serverCpuUs!
  const saveUs = Math.max(0, save.serverCpuUs! - readUs)
  const serverCores = working.note('the server\'s work', `${rounded(requests * perRead)} × ${rounded(readUs)} µs + ${rounded(saves * perSave)} × ${rounded(saveUs)} µs, each command by itself`, (requests * perRead * readUs + saves * perSave * saveUs) / 1e6, cores)
  const measured = footprints.find((point) => point.record >= 1_000)!.record
  const around = (all: number): number => Math.max(0, all - measured)
  const out = working.note('out of it', `${rounded(requests)} × (${rounded(record)} + ${rounded(around(read.bytesOut!))}) bytes`, requests * (record + around(read.bytesOut!)), bits)
  const saved = around(save.bytesIn! - read.bytesIn!)
  const into = working.note('into it', `${rounded(requests)} × ${rounded(read.bytesIn!)} + ${rounded(saves)} × (${rounded(record)} + ${rounded(saved)}) bytes`, requests * read.bytesIn! + saves * (record + saved), bits)
  return { commands, serverCores, out, into }
}

const redis = (input: CapacityInput, costs: Costs): Reckoned => {
  const working = new Working()
  const measured = costsOf(costs, 'redis')
  const load = loadOf(working, input)
  const memory = footprint(working, measured, 'bytes', load, input, 'memory')
  const { commands, serverCores, out, into } = traffic(working, measured, load, input.owners)
  const room = working.note('room of a node', `${rounded(input.nodeMemory)} GB × ${REDIS_ROOM}: the rest for fragments, buffers, copies while it writes to disk`, input.nodeMemory * 1e9 * REDIS_ROOM, bytes)
  const forMemory = working.note('masters for memory', `${bytes(memory)} / ${bytes(room)}, rounded up`, Math.ceil(memory / room))
  const forWork = working.note('masters for work', `${cores(serverCores)} / ${BUSY} busy, rounded up: redis works on one core`, Math.ceil(serverCores / BUSY))
  const wanted = Math.max(1, forMemory, forWork)
  const masters = working.note('masters', wanted === 1 ? 'the larger of the two: a single one' : 'the larger of the two, and at least 3 as a Cluster', wanted === 1 ? 1 : Math.max(3, wanted))
  const { replicas, sessions } = input
  const nodes = working.note('nodes', `${rounded(masters)} × (1 + ${replicas} replicas), each as large as its master, so that it can take its place`, masters * (1 + replicas))
  const touches = Math.min(load.requests, sessions / TOUCH)
  working.note('to the replicas', `${replicas} × (${rounded(load.saves)} × ${rounded(load.record)} + ${rounded(touches)} touches × ${TOUCH_BYTES}) bytes`, replicas * (load.saves * load.record + touches * TOUCH_BYTES), bits)
  if (masters > 1) working.note('one master lost', `1 / ${rounded(masters)} of the sessions wait for its replica`, 100 / masters, percent)
  processes(working, measured, load)
  const how = replicas === 0 ? '' : masters === 1 ? ` (1 master, ${replicas} replica, and 3 sentinels)` : ` (${rounded(masters)} masters)`
  return { steps: working.steps, summary: { room: bytes(memory), commands: perSecond(commands), bandwidth: `${bits(out)}, ${bits(into)}`, nodes: `${rounded(nodes)}${how}` } }
}

const memcache = (input: CapacityInput, costs: Costs): Reckoned => {
  const working = new Working()
  const measured = costsOf(costs, 'memcache')
  const load = loadOf(working, input)
  const memory = footprint(working, measured, 'bytes', load, input, 'memory')
  const { commands, serverCores, out, into } = traffic(working, measured, load, input.owners)
  const room = working.note('room of a node', `${rounded(input.nodeMemory)} GB × ${MEMCACHED_ROOM}`, input.nodeMemory * 1e9 * MEMCACHED_ROOM, bytes)
  const forMemory = working.note('nodes for memory', `${bytes(memory)} / ${bytes(room)}, rounded up`, Math.ceil(memory / room))
  const forWork = working.note('nodes for work', `${cores(serverCores)} / (${MEMCACHED_THREADS} threads × ${BUSY} busy), rounded up`, Math.ceil(serverCores / MEMCACHED_THREADS / BUSY))
  const nodes = working.note('nodes', 'the larger of the two, and at least 2', Math.max(2, forMemory, forWork))
  working.note('one node lost', `1 / ${rounded(nodes)} of the sessions are gone, and as many requests fail until it is back or out of the list; nobody takes its place, so no node needs room for another's`, 100 / nodes, percent)
  processes(working, measured, load)
  return { steps: working.steps, summary: { room: bytes(memory), commands: perSecond(commands), bandwidth: `${bits(out)}, ${bits(into)}`, nodes: rounded(nodes) } }
}

const file = (input: CapacityInput, costs: Costs): Reckoned => {
  const working = new Working()
  const measured = costsOf(costs, 'file')
  const load = loadOf(working, input)
  const disk = footprint(working, measured, 'diskBytes', load, input, 'disk')
  const each = measured.footprints[0]!.inodes! + (input.owners ? measured.owner.inodes! : 0)
  const inodes = working.note('inodes', `${rounded(input.sessions)} × ${rounded(each)}`, input.sessions * each)
  working.note('files in a directory', `${rounded(input.sessions)} / 256`, input.sessions / 256)
  working.note('bytes of disk for an inode', `${bytes(disk)} / ${rounded(inodes)}; a file system made with more bytes for each inode (ext4: 16,384) runs out of inodes first`, disk / inodes, bytes)
  const fits = processes(working, measured, load) <= MOST_CORES
  working.note('nodes', fits ? 'the processes of one machine share it; no other takes its place' : `one machine has no more than ${MOST_CORES} cores or so: take another store`, fits ? 1 : 0)
  return { steps: working.steps, summary: { room: `${bytes(disk)} of disk, ${rounded(inodes)} inodes`, commands: perSecond(load.requests + load.saves), bandwidth: '–', nodes: fits ? '1, not more' : 'not for so many' } }
}

const memory = (input: CapacityInput, costs: Costs): Reckoned => {
  const working = new Working()
  const measured = costsOf(costs, 'memory')
  const load = loadOf(working, input)
  const heap = footprint(working, measured, 'bytes', load, input, 'memory')
  const most = working.note('sessions of a process', `${bytes(HEAP)} / ${rounded(heap / input.sessions)} bytes: what Node gives its heap on a machine of 16 GB or more (--max-old-space-size)`, Math.floor(HEAP / (heap / input.sessions)))
  const fits = processes(working, measured, load) <= 1 && input.sessions <= most
  working.note('processes', fits ? 'all requests go to it' : 'more than one process takes, and processes share nothing: take another store', fits ? 1 : 0)
  return { steps: working.steps, summary: { room: bytes(heap), commands: '–', bandwidth: '–', nodes: fits ? '1 process, not more' : 'not for so many' } }
}

/** Google counts operations and bytes. */
const datastore = (input: CapacityInput): Reckoned => {
  const working = new Working()
  const load = loadOf(working, input)
  const { entity, indexes } = entitySize(load.record)
  const each = working.note('storage a session', `${rounded(entity)} bytes of the entity + ${rounded(indexes)} of two entries of indexes, by Google's rules`, entity + indexes, bytes)
  const storage = working.note('storage', `${rounded(input.sessions)} × ${rounded(each)} bytes`, input.sessions * each, bytes)
  const { requests, saves } = load
  const [perRead, perSave] = input.owners ? [2, 2] : [1, 0]
  const reads = working.note('reads', `${rounded(requests)} × ${perRead}${input.owners ? ` + ${rounded(saves)} × ${perSave}` : ''}`, requests * perRead + saves * perSave, perSecond)
  const touches = working.note('touches', `the smaller of ${rounded(requests)} requests and ${rounded(input.sessions)} sessions / ${TOUCH} s of touch_interval`, Math.min(requests, input.sessions / TOUCH), perSecond)
  const writes = working.note('writes', `${rounded(saves)} + ${rounded(touches)}, if no save falls together with a touch`, saves + touches, perSecond)
  working.note('minutes to grow into it', `from 500 writes a second by half every five minutes: 5 × log(${rounded(writes)} / 500) / log 1.5`, Math.max(0, (5 * Math.log(writes / 500)) / Math.log(1.5)))
  const [out, into] = [working.note('out of it', `${rounded(requests)} × ${rounded(entity)} bytes`, requests * entity, bits), working.note('into it', `${rounded(writes)} × ${rounded(entity)} bytes: a touch writes the whole entity`, writes * entity, bits)]
  working.note('a day at this pace', `(${rounded(reads)} reads + ${rounded(writes)} writes) × 86,400, as they are billed`, (reads + writes) * 86_400)
  return { steps: working.steps, summary: { room: bytes(storage), commands: `${perSecond(reads + writes)}`, bandwidth: `${bits(out)}, ${bits(into)}`, nodes: 'Google\'s' } }
}

const cookie = (input: CapacityInput): Reckoned => {
  const working = new Working()
  const { requests, saves } = loadOf(working, input)
  const octets = working.note('cookie', `the record ${input.encrypted ? 'encrypted' : 'signed'}, in base64url; ${rounded(MOST_IN_COOKIE)} octets are the most that one cookie takes`, cookieSize(input.size, { owned: input.owners, encrypted: input.encrypted }), bytes)
  const into = working.note('from browsers', `${rounded(requests)} × ${rounded(octets)} octets, on every request to the site besides, whether it reads its session or not`, requests * octets, bits)
  const out = working.note('to browsers', `${rounded(saves)} × ${rounded(octets)} octets`, saves * octets, bits)
  const fits = octets <= MOST_IN_COOKIE
  return { steps: working.steps, summary: { room: 'the browsers\'', commands: '–', bandwidth: fits ? `${bits(out)}, ${bits(into)}` : '–', nodes: fits ? 'none' : 'not for so much data' } }
}

const reckoners: Readonly<Record<CapacityStore, (input: CapacityInput, costs: Costs) => Reckoned>> = { memory, file, redis, memcache, datastore, cookie }

const perSecond = (value: number): string => `${rounded(value)}/s`
const cores = (value: number): string => `${value.toLocaleString('en', { maximumSignificantDigits: 2 })} cores`
const percent = (value: number): string => `${value.toLocaleString('en', { maximumSignificantDigits: 2 })} %`

