import type { Mutation, MutationResult } from './client.js'
import { CODE, Failure } from './failure.js'
import type { Service } from './service.js'

/** One write, in one try or several, which are all the same to the server: at most one of them is done. */
export class Write {
  readonly deadline: number
  readonly #service: Service
  #mayHaveLanded = false

  constructor(service: Service, deadline: number) {
    this.#service = service
    this.deadline = deadline
  }

  /** A try was sent, and what became of it was not told. */
  get mayHaveLanded(): boolean {
    return this.#mayHaveLanded
  }

  /** `undefined`, and nothing is done, when the entity is not as it has to be: there, not there, or of that version. */
  async commit(mutation: Mutation): Promise<MutationResult | undefined> {
    try {
      const [result] = await this.#service.commit([mutation], this.deadline)
      return result?.conflictDetected ? undefined : result
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      // Also what is said of a database that is not there: the look that follows will tell.
      if (error.code === CODE.ALREADY_EXISTS || error.code === CODE.NOT_FOUND) return undefined
      this.#mayHaveLanded ||= error.mayHaveLanded
      throw error
    }
  }
}
