import {
  close, closeSync, fstat, fstatSync, fsync, futimes, futimesSync, constants, linkSync, lstatSync, mkdirSync, openSync, read, readSync, renameSync,
  rmdirSync, unlinkSync, writeFile, writeFileSync, type Stats
} from 'node:fs'
import { promisify } from 'node:util'
import type { Awaitable } from '../../src/awaitable.js'
import { pooledDisk, type Disk, type OpenFile } from './disk.js'
import type { Watch } from './watch.js'

/** Reading waits for other things than changing does: that has to get into the file system's journal. */
export interface Watches {
  readonly reading: Watch
  readonly changing: Watch
}

/**
 * Makes each call where it stands, for a disk that answers out of memory: it takes 2 to 10 µs of a processor, while a way through the thread
 * pool takes 25 to 50. What is slow for now goes through the pool, and so does always what has to wait, or moves much.
 */
export class LocalDisk implements Disk {
  readonly #isLocal: () => boolean
  readonly #watches: Watches

  constructor(isLocal: () => boolean, watches: Watches) {
    this.#isLocal = isLocal
    this.#watches = watches
  }

  open(path: string, flags: number | 'r', mode?: number): Awaitable<OpenFile> {
    const { reading, changing } = this.#watches
    const watch = flags === 'r' || (flags & constants.O_CREAT) === 0 ? reading : changing
    return this.#do(watch, () => new LocalFile(openSync(path, flags, mode), this.#watches), () => pooledDisk.open(path, flags, mode))
  }

  lstat(path: string): Awaitable<Stats> {
    return this.#do(this.#watches.reading, () => lstatSync(path), () => pooledDisk.lstat(path))
  }

  mkdir(path: string, mode: number): Awaitable<unknown> {
    return this.#change(() => mkdirSync(path, mode), () => pooledDisk.mkdir(path, mode))
  }

  rmdir(path: string): Awaitable<void> {
    return this.#change(() => rmdirSync(path), () => pooledDisk.rmdir(path))
  }

  link(from: string, to: string): Awaitable<void> {
    return this.#change(() => linkSync(from, to), () => pooledDisk.link(from, to))
  }

  rename(from: string, to: string): Awaitable<void> {
    return this.#change(() => renameSync(from, to), () => pooledDisk.rename(from, to))
  }

  unlink(path: string): Awaitable<void> {
    return this.#change(() => unlinkSync(path), () => pooledDisk.unlink(path))
  }

  #change<T>(here: () => T, pooled: () => Awaitable<T>): Awaitable<T> {
    return this.#do(this.#watches.changing, here, pooled)
  }

  #do<T>(watch: Watch, here: () => T, pooled: () => Awaitable<T>): Awaitable<T> {
    return this.#isLocal() && watch.isQuick ? watch.time(here) : pooled()
  }
}

/** By its descriptor, so that each call on it can be made here or in the pool. */
class LocalFile implements OpenFile {
  #descriptor: number
  readonly #watches: Watches

  constructor(descriptor: number, watches: Watches) {
    this.#descriptor = descriptor
    this.#watches = watches
  }

  stat(): Awaitable<Stats> {
    return this.#do('reading', 0, () => fstatSync(this.#descriptor), () => pooled.fstat(this.#descriptor))
  }

  read(buffer: Buffer, offset: number, length: number, position: number): Awaitable<{ bytesRead: number }> {
    const here = (): { bytesRead: number } => ({ bytesRead: readSync(this.#descriptor, buffer, offset, length, position) })
    return this.#do('reading', length, here, () => pooled.read(this.#descriptor, buffer, offset, length, position))
  }

  writeFile(bytes: Buffer): Awaitable<void> {
    return this.#do('changing', bytes.length, () => writeFileSync(this.#descriptor, bytes), () => pooled.writeFile(this.#descriptor, bytes))
  }

  utimes(atime: number, mtime: number): Awaitable<void> {
    return this.#do('changing', 0, () => futimesSync(this.#descriptor, atime, mtime), () => pooled.futimes(this.#descriptor, atime, mtime))
  }

  sync(): Promise<void> {
    return pooled.fsync(this.#descriptor)
  }

  close(): Awaitable<void> {
    const descriptor = this.#descriptor
    if (descriptor === closed) return
    this.#descriptor = closed
    return this.#do('reading', 0, () => closeSync(descriptor), () => pooled.close(descriptor))
  }

  #do<T>(kind: keyof Watches, bytes: number, here: () => T, inPool: () => Promise<T>): Awaitable<T> {
    const watch = this.#watches[kind]
    return bytes <= mostBytes && watch.isQuick ? watch.time(here) : inPool()
  }
}

const closed = -1

/** What is copied in well under 1 ms. */
const mostBytes = 256 * 1024

const pooled = {
  close: promisify(close),
  fstat: promisify<number, Stats>(fstat),
  fsync: promisify(fsync),
  futimes: promisify(futimes),
  read: promisify(read),
  writeFile: promisify(writeFile)
}
