import { type Bounds, currentBounds, endOf, isOver, unbounded, untilEnd, withinBounds } from './bounds.ts'
import { DatabaseUnavailable, isRolledBack, StatementAbandoned } from './errors.ts'

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

type Waiting<I, O> = {
  readonly input: I
  /** How long its caller waits. */
  readonly bounds: Bounds | undefined
  readonly resolve: (output: O | Promise<O>) => void
  readonly reject: (error: unknown) => void
}

/**
 * Joins the writes of one turn of the event loop into one commit, each with an outcome of its own: what `together` left untouched, and all of a joint
 * write that the server refused and rolled back for one of them, is written alone. Where the outcome is unknown because the connection was lost, or the
 * server is too slow, everybody is told so. What nobody waits for any more is not written; a joint write is cancelled when the most patient of its callers
 * stops waiting, and a write alone when its own does.
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

  const takeBatch = (): readonly Waiting<I, O>[] => {
    const taken = waiting.slice(0, maxInputs)
    waiting = waiting.slice(maxInputs)
    return taken.filter(({ bounds, reject }) => {
      if (bounds === undefined || !isOver(bounds)) return true
      reject(new StatementAbandoned('nobody waits for this write any more: it was not sent'))
      return false
    })
  }

  const writeAlone = ({ input, bounds }: Waiting<I, O>): Promise<O> =>
    bounds === undefined ? unbounded(() => alone(input)) : withinBounds(bounds, () => alone(input))

  const send = async (): Promise<void> => {
    const batch = takeBatch()
    if (batch.length === 0) return
    inFlight++
    try {
      const end = batch.reduce((latest, { bounds }) => Math.max(latest, endOf(bounds)), 0)
      const outputs = await untilEnd(end, () => together(batch.map(({ input }) => input)))
      for (const [index, each] of batch.entries()) each.resolve(outputs[index] ?? writeAlone(each))
    } catch (error) {
      for (const each of batch) {
        if (isRolledBack(error)) each.resolve(writeAlone(each))
        else each.reject(error)
      }
    } finally {
      inFlight--
      schedule()
    }
  }

  return (input: I): Promise<O> =>
    new Promise((resolve, reject) => {
      if (waiting.length >= maxWaiting) return reject(new DatabaseUnavailable(`${waiting.length} writes wait already`))
      waiting.push({ input, bounds: currentBounds(), resolve, reject })
      schedule()
    })
}
