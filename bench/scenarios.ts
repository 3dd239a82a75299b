import assert from 'node:assert/strict'
import type { Visitor } from './run/visitor.js'
import { paths, UNTOUCHED } from './servers/job.js'

/** A session that was made before anything is measured. */
export interface Seed {
  readonly visitor: Visitor
  readonly user: string
}

/** What a request does. */
export interface Scenario {
  readonly letter: string
  readonly title: string
  readonly path: string
  /** Requests come with the cookie of a session. */
  readonly hasCookie: boolean
  /** Throws unless a server does what the scenario says. */
  prove(seed: Seed, stranger: Visitor): Promise<void>
}

export const scenarios: readonly Scenario[] = [
  {
    letter: 'U', title: 'a session cookie comes, and nobody looks at the session', path: paths.untouched, hasCookie: true,
    prove: ({ visitor }) => staysUntouched(visitor),
  },
  {
    letter: 'N', title: 'no cookie comes, and nobody looks at the session', path: paths.untouched, hasCookie: false,
    prove: (_, stranger) => staysUntouched(stranger),
  },
  {
    letter: 'R', title: 'one key is read', path: paths.read, hasCookie: true,
    async prove({ visitor, user }) {
      await answers(visitor, paths.read, user)
      const forged = await visitor.forged().get(paths.read)
      assert.notEqual(forged.text, user, 'a forged cookie shows the session')
    },
  },
  {
    letter: 'W', title: 'a key is read, changed and saved', path: paths.write, hasCookie: true,
    async prove({ visitor, user }) {
      const tab = visitor.copy()
      const count = Number((await tab.get(paths.write)).text)
      assert.ok(count > 0, 'the counter does not count')
      await answers(tab, paths.write, String(count + 1))
      await answers(tab, paths.read, user)
    },
  },
  {
    letter: 'C', title: 'no cookie comes, and a new session of 1 KB is saved', path: paths.create, hasCookie: false,
    async prove(_, stranger) {
      const { text, setsCookie } = await stranger.get(paths.create)
      assert.ok(setsCookie, 'a new session sets no cookie')
      await answers(stranger, paths.read, text)
    },
  },
]

const staysUntouched = async (visitor: Visitor): Promise<void> => {
  const { setsCookie } = await answers(visitor, paths.untouched, UNTOUCHED)
  assert.ok(!setsCookie, 'an untouched session sets a cookie')
}

const answers = async (visitor: Visitor, path: string, text: string): Promise<{ readonly setsCookie: boolean }> => {
  const answer = await visitor.get(path)
  assert.ok(answer.status === 200 && answer.text === text, `${path} answers ${answer.status} “${answer.text}”, in place of “${text}”`)
  return answer
}
