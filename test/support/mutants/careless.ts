import type { EveryAbility } from '../memory-fixture.js'

export const NEVER = 1e15

/** What was last written under each key, whatever became of it. */
export const remembering = (real: EveryAbility): Pick<EveryAbility, 'create' | 'replace'> & { written: Map<string, string> } => {
  const written = new Map<string, string>()
  const note = (key: string, value: string, version: string | undefined): string | undefined => {
    if (version !== undefined) written.set(key, value)
    return version
  }
  return {
    written,
    create: async (key, value, expiresAt) => note(key, value, await real.create(key, value, expiresAt)),
    replace: async (key, value, version, expiresAt) => note(key, value, await real.replace(key, value, version, expiresAt)),
  }
}

/** Writes over whatever is there. */
export const put = async (real: EveryAbility, key: string, value: string, expiresAt: number): Promise<string | undefined> => {
  await real.delete(key)
  return real.create(key, value, expiresAt)
}

/** Others get their turn, as they do while a server is asked. */
export const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

/** Every key that was created, whatever became of it. */
export const rememberingKeys = (real: EveryAbility): { created: Map<string, number>; create: EveryAbility['create'] } => {
  const created = new Map<string, number>()
  return {
    created,
    create: async (key, value, expiresAt) => {
      created.set(key, expiresAt)
      return real.create(key, value, expiresAt)
    },
  }
}
