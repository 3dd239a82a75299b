import type { Teardown } from '../../test/support/app.js'
import { prepareGround } from './ground.js'
import type { Ground } from './ground.js'
import type { MemoryPerSession, SceneSpec } from './scene.js'
import { Scene } from './scenes.js'

export interface Staged {
  readonly scene: Scene
  readonly ground: Ground
  readonly memory: MemoryPerSession
  readonly seededMs: number
}

export type Tell = (progress: string) => void

/** A scene with its sessions. Says why, instead, when there can be none. */
export const stage = async (t: Teardown, wanted: Partial<SceneSpec> & Pick<SceneSpec, 'store' | 'count' | 'size'>, tell: Tell, at?: Ground): Promise<Staged | string> => {
  const { store, count, size } = wanted
  const what = `${store}, ${count.toLocaleString('en')} sessions of ${size.toLocaleString('en')} bytes`
  const ground = at ?? (await prepareGround(t, store, count, size))
  if (typeof ground === 'string') {
    tell(`${what}: ${ground}`)
    return ground
  }
  const scene = new Scene({ cookies: 1, expiring: 0, place: ground.place, ...wanted }, (progress) => tell(`${what}: ${progress}`))
  t.teardown(() => scene.end())
  const began = performance.now()
  const memory = await scene.ask('seed')
  const seededMs = performance.now() - began
  tell(`${what}: there after ${(seededMs / 1000).toFixed(1)} s`)
  return { scene, ground, memory, seededMs }
}

export const isStaged = (staged: Staged | string): staged is Staged => typeof staged !== 'string'
