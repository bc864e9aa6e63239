/** What an open loop saw: times count from when a call was meant to begin, so that a server that stalls answers for all who would have come meanwhile. */
export interface OpenResult {
  /** Of each call, in milliseconds. */
  readonly times: Float64Array
}

/** The times of a load whose calls begin when they are meant to, whatever became of the ones before. */
export class OpenTally {
  readonly goesOn = false
  readonly #times: number[] = []
  #wrong: string | undefined

  right(intended: number): void {
    this.#times.push(performance.now() - intended)
  }

  wrong(what: string): void {
    this.#wrong ??= what
  }

  result(): OpenResult {
    if (this.#wrong !== undefined) throw new Error(`a wrong answer: ${this.#wrong}`)
    return { times: Float64Array.from(this.#times) }
  }
}

/** Begins calls at a fixed rate for a while; `begun` is told after those that were due together. */
export async function atRate(
  { perSecond, seconds }: { readonly perSecond: number; readonly seconds: number },
  begin: (call: number, intended: number) => void,
  begun: () => void = () => undefined,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const started = performance.now()
  const calls = Math.max(1, Math.floor(perSecond * seconds))
  let next = 0
  const tick = (): void => {
    const now = performance.now()
    for (; next < calls; next++) {
      const intended = started + (next / perSecond) * 1000
      if (intended > now) break
      begin(next, intended)
    }
    begun()
    if (next === calls) resolve()
    else setTimeout(tick, Math.max(0, started + (next / perSecond) * 1000 - performance.now()))
  }
  tick()
  await promise
}
