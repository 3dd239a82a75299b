import { mkdir, rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { emit } from '../../src/diagnostics.js'
import { codeOf } from './errors.js'
import { LockDirectory, type Claim } from './lock-directory.js'
import { properLockfile } from './proper-lockfile.js'

/** Lets go of the lock. Never rejects and never frees somebody else's: what cannot be removed now, the next one takes over. */
export type Release = () => Promise<void>

/**
 * Takes the lock that is claimed; `undefined` when it was not free until it `isLate`, after one try at least.
 * `prepare` puts the token into the stage; nothing of the stage is left, whatever happens.
 */
export const takeLock = async (
  claim: Claim,
  prepare: () => Promise<unknown>,
  now: () => number,
  isLate: () => boolean
): Promise<Release | undefined> => {
  try {
    await mkdir(claim.stage, 0o700)
    await prepare()
    const release = await poll(claim, now, isLate)
    if (release !== undefined) return release
  } catch (error) {
    await removeStage(claim)
    throw error
  }
  await removeStage(claim)
  return undefined
}

/** Told by whoever lost a lock to another, so that slow disks and blocked event loops can be seen. */
export const tellLost = (): void => emit('lock-compromised', { backend: 'file' })

/** Waits are random, so that processes do not poll in step. */
const poll = async (claim: Claim, now: () => number, isLate: () => boolean): Promise<Release | undefined> => {
  const directory = new LockDirectory(claim, now)
  for (let wait = 4; ; wait = Math.min(wait * 2, 32)) {
    const unlock = await tryOnce(claim, directory)
    if (unlock !== undefined) return () => unlock().catch(() => directory.leave()).catch(() => {})
    if (isLate()) return undefined
    await sleep(Math.random() * wait)
  }
}

/** The first argument is only the name in proper-lockfile's own list, where no two claims may meet. */
const tryOnce = async (claim: Claim, fs: LockDirectory): Promise<Release | undefined> => {
  try {
    const options = { lockfilePath: claim.lock, fs, realpath: false, stale: 2000, onCompromised: tellLost }
    return await properLockfile().lock(claim.held, options)
  } catch (error) {
    if (codeOf(error) === 'ELOCKED') return undefined
    throw error
  }
}

/** Best effort: what stays is swept by a purge. */
const removeStage = (claim: Claim): Promise<void> => rm(claim.stage, { recursive: true, force: true }).catch(() => {})
