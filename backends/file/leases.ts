import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Lease } from '../../src/namespace-manager.js'
import { timerMs } from '../../src/timer-ms.js'
import type { Directories } from './directories.js'
import { newToken } from './holder.js'
import { Lanes } from './lanes.js'
import { pathOf } from './layout.js'
import { claimOn } from './lock-directory.js'
import { takeLock, type HeldLock } from './lock.js'
import type { Stages } from './stages.js'

/**
 * Advisory leases: the same locks as the records', in a tree of their own, whose token tells when the lease ends.
 * They end at that time for everybody, and at once when their process dies.
 */
export class Leases {
  readonly #root: string
  readonly #directories: Directories
  readonly #stages: Stages
  readonly #now: () => number
  readonly #shouldStop: () => boolean
  readonly #held = new Set<() => Promise<void>>()

  constructor(root: string, directories: Directories, stages: Stages, now: () => number, shouldStop: () => boolean) {
    this.#root = root
    this.#directories = directories
    this.#stages = stages
    this.#now = now
    this.#shouldStop = shouldStop
  }

  /** In this process first come, first served; a waiter whose time is over leaves the lane. */
  async lock(key: string, leaseMs: number, waitUntil: number): Promise<Lease | undefined> {
    const path = pathOf(this.#root, key)
    const patienceMs = timerMs(Math.max(waitUntil - this.#now(), 0))
    const end = performance.now() + patienceMs
    const isLate = (): boolean => performance.now() >= end || this.#now() >= waitUntil || this.#shouldStop()
    return new Promise((resolve, reject) => {
      let hasLeft = false
      const leave = setTimeout(() => {
        hasLeft = true
        resolve(undefined)
      }, patienceMs)
      const turn = async (): Promise<Lease | undefined> => {
        clearTimeout(leave)
        return hasLeft ? undefined : this.#wait(path, leaseMs, isLate)
      }
      lanes.run(path, turn).then(resolve, reject)
    })
  }

  /** Lets go of all that this manager holds. */
  async close(): Promise<void> {
    await Promise.all([...this.#held].map(release => release()))
  }

  async #wait(path: string, leaseMs: number, isLate: () => boolean): Promise<Lease | undefined> {
    for (let wait = 4; ; wait = Math.min(wait * 2, 32)) {
      const lease = await this.#try(path, leaseMs)
      if (lease !== undefined || isLate()) return lease
      await sleep(Math.random() * wait)
    }
  }

  /** Each try claims anew, since the token's name tells when the lease would end. */
  async #try(path: string, leaseMs: number): Promise<Lease | undefined> {
    return this.#directories.within(dirname(path), async () => {
      const stage = await this.#stages.make(newToken(this.#now() + leaseMs))
      try {
        const lock = await takeLock(claimOn(path, stage), this.#now, () => true)
        return lock && this.#leaseOf(lock, leaseMs)
      } finally {
        await this.#stages.discard(stage) // where the lock was taken, the stage is there no more
      }
    })
  }

  #leaseOf(lock: HeldLock, leaseMs: number): Lease {
    const release = async (): Promise<void> => {
      clearTimeout(end)
      if (this.#held.delete(release)) await lock.drop()
    }
    const end = setTimeout(release, timerMs(leaseMs)).unref()
    this.#held.add(release)
    return { release }
  }
}

const lanes = new Lanes()
