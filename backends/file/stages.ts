import { rm } from 'node:fs/promises'
import type { Directories } from './directories.js'
import type { Disk } from './disk.js'
import { newToken } from './holder.js'

/**
 * A directory of this process's own, with nothing in it but its token, a directory whose name no other stage has. Things are made
 * ready in the token; then the stage is renamed to be a lock, and back when the lock is let go.
 */
export interface Stage {
  readonly disk: Disk
  readonly token: string
  readonly path: string
}

/** The stages of one manager. They are used again, since making and removing directories is most of what a lock would cost. */
export class Stages {
  readonly #disk: Disk
  readonly #root: string
  readonly #directories: Directories
  readonly #idle: Stage[] = []

  constructor(disk: Disk, root: string, directories: Directories) {
    this.#disk = disk
    this.#root = root
    this.#directories = directories
  }

  async take(): Promise<Stage> {
    return this.#idle.pop() ?? this.make(newToken())
  }

  /** Takes back a stage with nothing in its token. */
  async giveBack(stage: Stage): Promise<void> {
    if (this.#idle.length >= mostIdle) await this.discard(stage)
    else this.#idle.push(stage)
  }

  async make(token: string): Promise<Stage> {
    const disk = this.#disk
    const stage = { disk, token, path: `${this.#root}/${token}` }
    await this.#directories.within(this.#root, () => disk.mkdir(stage.path, 0o700))
    try {
      await disk.mkdir(inStage(stage), 0o700)
    } catch (error) {
      await this.discard(stage)
      throw error
    }
    return stage
  }

  /** Removes a stage with all that is in it. What stays is swept by a purge. */
  async discard(stage: Stage): Promise<void> {
    await rm(stage.path, { recursive: true, force: true }).catch(() => {})
  }

  async close(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map(stage => this.discard(stage)))
  }
}

/** Where things are made ready before the lock is taken. */
export const inStage = (stage: Stage): string => `${stage.path}/${stage.token}`

const mostIdle = 32
