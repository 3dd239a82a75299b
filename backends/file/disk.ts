import type { Stats } from 'node:fs'
import { link, lstat, mkdir, open, rename, rmdir, unlink } from 'node:fs/promises'
import type { Awaitable } from '../../src/awaitable.js'

/**
 * The small calls of a file system, as the rest of the backend makes them: under the names of `node:fs/promises`, but a disk that need
 * not wait may answer without a promise, and throw. What may take long whatever the disk (reading a directory, removing a tree) is
 * not among them.
 */
export interface Disk {
  open(path: string, flags: number | 'r', mode?: number): Awaitable<OpenFile>
  lstat(path: string): Awaitable<Stats>
  mkdir(path: string, mode: number): Awaitable<unknown>
  rmdir(path: string): Awaitable<void>
  link(from: string, to: string): Awaitable<void>
  rename(from: string, to: string): Awaitable<void>
  unlink(path: string): Awaitable<void>
}

export interface OpenFile {
  stat(): Awaitable<Stats>
  read(buffer: Buffer, offset: number, length: number, position: number): Awaitable<{ readonly bytesRead: number }>
  writeFile(bytes: Buffer): Awaitable<void>
  utimes(atime: number, mtime: number): Awaitable<void>
  sync(): Promise<void>
  /** May be called again. */
  close(): Awaitable<void>
}

/** Makes each call in a thread of Node's pool: right for any disk, since nothing but the call waits for it. */
export const pooledDisk: Disk = { open, lstat, mkdir, rmdir, link, rename, unlink }
