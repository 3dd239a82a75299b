import type {
  CallOptions, ClientSource, CommitAnswer, DatastoreClient, EntityResult, Key, LookupAnswer, Mutation, MutationResult, Query, QueryAnswer,
} from './client.js'
import { Connection } from './connection.js'
import { CODE, Failure } from './failure.js'
import { Places } from './places.js'
import type { Partition } from './space.js'
import { within } from './within.js'

/** What one connection carries at a time, with Google as the server. */
const MOST_AT_ONCE = 100
/** The client keeps its deadline by itself, as a rule. */
const LATE_MS = 50

interface Common {
  readonly projectId: string
  readonly databaseId: string
}

/** The calls of Datastore that are used, one RPC each. Deadlines are of `performance.now()`; all reject with a `Failure`. */
export class Service {
  readonly #connection: Connection
  readonly #partition: Partition
  readonly #places = new Places(MOST_AT_ONCE)

  /** All keys are of this partition; its project is put in when it is found. */
  constructor(source: ClientSource, partition: Partition) {
    this.#connection = new Connection(source)
    this.#partition = partition
  }

  /** Of these keys, those that are there. `paths`: the properties that are wanted, all by default; more may come. */
  async lookup(keys: readonly Key[], deadline: number, paths?: readonly string[]): Promise<LookupAnswer & { readonly found: readonly EntityResult[] }> {
    const answer = await this.#send<LookupAnswer>(deadline, (client, common, options) =>
      client.lookup({ ...common, keys, ...(paths && { propertyMask: { paths } }) }, options))
    const { found, missing } = answer
    // Some may be deferred: these were not looked up, and are not missing.
    if ((found?.length ?? 0) + (missing?.length ?? 0) < keys.length) throw Failure.answered(CODE.UNAVAILABLE)
    return { ...answer, found: found ?? [] }
  }

  /** Each is done or not for itself; one that is refused with an error refuses all of them. */
  async commit(mutations: readonly Mutation[], deadline: number): Promise<readonly MutationResult[]> {
    const { mutationResults } = await this.#send<CommitAnswer>(deadline, (client, common, options) =>
      client.commit({ ...common, mode: 'NON_TRANSACTIONAL', mutations }, options))
    if (mutationResults?.length === mutations.length) return mutationResults
    throw Failure.answered(CODE.UNKNOWN)
  }

  async query(query: Query, deadline: number, paths: readonly string[]): Promise<NonNullable<QueryAnswer['batch']>> {
    const { batch } = await this.#send<QueryAnswer>(deadline, (client, common, options) =>
      client.runQuery({ ...common, partitionId: this.#partition, query, ...(paths.length > 0 && { propertyMask: { paths } }) }, options))
    if (batch) return batch
    throw Failure.answered(CODE.UNKNOWN)
  }

  close(): Promise<void> {
    return this.#connection.close()
  }

  async #send<Answer>(
    deadline: number, call: (client: DatastoreClient, common: Common, options: CallOptions) => Promise<readonly [Answer, ...unknown[]]>,
  ): Promise<Answer> {
    if (!(await this.#places.take(deadline))) throw Failure.unreached('found too many calls under way')
    try {
      return await this.#connection.use(deadline, async (client) => {
        const projectId = (this.#partition.projectId ??= await this.#findProject(client, deadline))
        const { databaseId } = this.#partition
        const timeout = deadline - performance.now()
        if (timeout <= 0) throw Failure.unreached('could not reach the server in time')
        return this.#answer(call(client, { projectId, databaseId }, { timeout, retry: null }), deadline)
      })
    } finally {
      this.#places.free()
    }
  }

  async #answer<Answer>(call: Promise<readonly [Answer, ...unknown[]]>, deadline: number): Promise<Answer> {
    try {
      const [answer] = await within(call, deadline + LATE_MS, () => Object.assign(new Error('no answer'), { code: CODE.DEADLINE_EXCEEDED }))
      this.#connection.answered()
      return answer
    } catch (error) {
      const code = codeOf(error)
      if (code === undefined) throw Failure.broken(error)
      if (code === CODE.DEADLINE_EXCEEDED) this.#connection.timedOut()
      else this.#connection.answered()
      throw Failure.answered(code, error)
    }
  }

  async #findProject(client: DatastoreClient, deadline: number): Promise<string> {
    try {
      return await within(client.getProjectId!(), deadline, () => Failure.unreached('could not find its project in time'))
    } catch (error) {
      throw error instanceof Failure ? error : Failure.broken(error)
    }
  }
}

/** gRPC's code, or the one for what the system says of a socket, as a client without gRPC passes it on. */
const codeOf = (error: unknown): number | undefined => {
  const { code } = (error ?? {}) as { code?: unknown }
  if (typeof code === 'string') return CODE.UNAVAILABLE
  return typeof code === 'number' && code > 0 && code <= 16 ? code : undefined
}
