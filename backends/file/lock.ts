import { setTimeout as sleep } from 'node:timers/promises'
import { emit } from '../../src/diagnostics.js'
import { codeOf } from './errors.js'
import { LockDirectory, type Claim } from './lock-directory.js'
import { properLockfile } from './proper-lockfile.js'

/** A lock that is held. Letting go of it never rejects: what cannot be removed now, the next one takes over. */
export interface HeldLock {
  /** Lets go, removing the stage. Never frees somebody else's. */
  drop(): Promise<void>
  /** Lets go, and the stage is what it was before. Only for who has just used the token. */
  keepStage(): Promise<void>
}

/** Takes the lock that is claimed; `undefined` when it was not free until it `isLate`, after one try at least. */
export const takeLock = async (claim: Claim, now: () => number, isLate: () => boolean): Promise<HeldLock | undefined> => {
  const directory = new LockDirectory(claim, now)
  for (let wait = 4; ; wait = Math.min(wait * 2, 32)) {
    const unlock = await tryOnce(claim, directory)
    if (unlock !== undefined) return heldLock(directory, unlock)
    if (isLate()) return undefined
    await sleep(Math.random() * wait) // at random, so that processes do not poll in step
  }
}

/** Told by whoever lost a lock to another, so that slow disks and blocked event loops can be seen. */
export const tellLost = (): void => emit('lock-compromised', { backend: 'file' })

const heldLock = (directory: LockDirectory, unlock: () => Promise<void>): HeldLock => {
  const drop = (): Promise<void> => unlock().catch(() => directory.drop()).catch(() => {})
  const keepStage = (): Promise<void> => {
    directory.keepStage()
    return drop()
  }
  return { drop, keepStage }
}

/** The first argument is only the name in proper-lockfile's own list, where no two claims may meet. */
const tryOnce = async (claim: Claim, fs: LockDirectory): Promise<(() => Promise<void>) | undefined> => {
  try {
    const options = { lockfilePath: claim.lock, fs, realpath: false, stale: 2000, onCompromised: tellLost }
    return await properLockfile().lock(claim.held, options)
  } catch (error) {
    if (codeOf(error) === 'ELOCKED') return undefined
    throw error
  }
}
