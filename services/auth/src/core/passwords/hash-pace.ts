import type { HashKind } from './encoded-hash.ts'

/** A stall of the machine is not waited for. */
const mostMs = 2_000
const kept = 16

/**
 * How long the kinds of hashes that are about take, as they took lately. Where there is more than one kind, refusals wait until the slowest would have been
 * through: else their time would tell whose hash is of which kind, and so that there is such a person. It costs no work; a right password never waits.
 */
export class HashPace {
  readonly #times = new Map<HashKind, number[]>()

  /** Kinds of which something is known. */
  get kinds(): ReadonlySet<HashKind> {
    return new Set(this.#times.keys())
  }

  took(kind: HashKind, ms: number): void {
    const times = this.#times.get(kind) ?? []
    this.#times.set(kind, times)
    times.push(ms)
    if (times.length > kept) times.shift()
  }

  /** Nobody has a hash of this kind any more. */
  forget(kind: HashKind): void {
    this.#times.delete(kind)
  }

  /** From the beginning of a verification to a refusal. */
  get refusalMs(): number {
    if (this.#times.size < 2) return 0
    return Math.min(mostMs, Math.max(...[...this.#times.values()].flat()))
  }
}
