import { setTimeout as delay } from 'node:timers/promises'

const kept = 16

/**
 * How long a step takes that is not the same for everybody, by what it depends on, as it took lately. Where more than one kind has been met, refusals wait until the
 * slowest would have been through: else their time would tell of which kind somebody is, and so that there is such a person. The wait costs no work; whoever is
 * let in never waits.
 */
export class RefusalPace {
  readonly #times = new Map<string, number[]>()
  readonly #mostMs: number

  /** A stall of the machine is waited for no longer than `mostMs`. */
  constructor(mostMs: number) {
    this.#mostMs = mostMs
  }

  /** Kinds of which something is known. */
  get kinds(): ReadonlySet<string> {
    return new Set(this.#times.keys())
  }

  took(kind: string, ms: number): void {
    const times = this.#times.get(kind) ?? []
    this.#times.set(kind, times)
    times.push(ms)
    if (times.length > kept) times.shift()
  }

  /** There is nothing of this kind any more. */
  forget(kind: string): void {
    this.#times.delete(kind)
  }

  /** From the beginning of the step to a refusal. */
  get refusalMs(): number {
    if (this.#times.size < 2) return 0
    return Math.min(this.#mostMs, Math.max(...[...this.#times.values()].flat()))
  }

  /** Waits for as long as the step, which took `ms`, was quicker than the slowest. */
  async rest(ms: number, signal?: AbortSignal): Promise<void> {
    const rest = this.refusalMs - ms
    if (rest > 0) await delay(rest, undefined, { ...(signal && { signal }) })
  }
}
