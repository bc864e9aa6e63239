import { DatabaseUnavailable, isRolledBack } from './errors.ts'

export type JoinOptions<I, O> = {
  /**
   * Writes many in one statement or one transaction of its own; gives the outcome of each, or undefined of those that it left untouched because
   * something about them is not plain: a taken key, a request that came before.
   */
  readonly together: (inputs: readonly I[]) => Promise<readonly (O | undefined)[]>
  /** Writes one, whatever is the matter with it. */
  readonly alone: (input: I) => Promise<O>
  /** Inputs of one write at most. Default 100. */
  readonly maxInputs?: number
  /** Joint writes under way at once; what comes meanwhile waits and joins the next one. Default 4. */
  readonly maxInFlight?: number
  /** Inputs that may wait; more are refused with DatabaseUnavailable. Default 1000. */
  readonly maxWaiting?: number
}

type Waiting<I, O> = { readonly input: I; readonly resolve: (output: O | Promise<O>) => void; readonly reject: (error: unknown) => void }

/**
 * Joins the writes of one turn of the event loop into one commit, each with an outcome of its own: what `together` left untouched, and all of a joint
 * write that the server refused and rolled back, is written alone. Where the outcome is unknown because the connection was lost, everybody is told so.
 */
export function joined<I, O>({ together, alone, maxInputs = 100, maxInFlight = 4, maxWaiting = 1000 }: JoinOptions<I, O>) {
  let waiting: Waiting<I, O>[] = []
  let inFlight = 0
  let scheduled = false

  const schedule = (): void => {
    if (scheduled || inFlight >= maxInFlight || waiting.length === 0) return
    scheduled = true
    // After the I/O of this turn: everything that arrived with it is in the write.
    setImmediate(() => {
      scheduled = false
      while (inFlight < maxInFlight && waiting.length > 0) void send()
    })
  }

  const send = async (): Promise<void> => {
    const batch = waiting.slice(0, maxInputs)
    waiting = waiting.slice(maxInputs)
    inFlight++
    try {
      const outputs = await together(batch.map(({ input }) => input))
      for (const [index, { input, resolve }] of batch.entries()) resolve(outputs[index] ?? alone(input))
    } catch (error) {
      for (const { input, resolve, reject } of batch) {
        if (isRolledBack(error)) resolve(alone(input))
        else reject(error)
      }
    } finally {
      inFlight--
      schedule()
    }
  }

  return (input: I): Promise<O> =>
    new Promise((resolve, reject) => {
      if (waiting.length >= maxWaiting) return reject(new DatabaseUnavailable(`${waiting.length} writes wait already`))
      waiting.push({ input, resolve, reject })
      schedule()
    })
}
