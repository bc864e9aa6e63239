import { percentile } from '../statistics.ts'

/** One call that a client repeats: what it sends and what has to come back. */
export interface CallPlan {
  /** The message as bytes. */
  readonly request: Uint8Array
  /** Every other answer is wrong. */
  readonly answer: Uint8Array
  /** Each call has a number of its own, which stands in request and answer where `ownNumber` does. Of the answer only the end is known: `answer`. */
  readonly numbered?: boolean
  /** What an answer that cannot be known beforehand has to have in it, instead. */
  readonly holds?: readonly Buffer[]
}

/** What a client is asked to do. */
export interface LoadOrder {
  readonly port: number
  /** Of HTTP/1.1; POST where it is not said. */
  readonly method?: 'GET' | 'POST'
  readonly path: string
  readonly headers: readonly (readonly [string, string])[]
  /** Sent in turn. */
  readonly calls: readonly CallPlan[]
  readonly seconds: number
  readonly inFlight: number
  readonly connections: number
  /** Number of the first call, where calls are numbered. */
  readonly firstNumber?: number
}

/** What a client saw. */
export interface LoadResult {
  readonly calls: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  /** One more than the last number that a call had. */
  readonly nextNumber: number
}

/** Counts the calls of one turn, and ends it at the first wrong answer. */
export class Tally {
  readonly #started: number
  readonly #end: number
  readonly #times: number[] = []
  #wrong: string | undefined
  #nextNumber: number

  constructor(seconds: number, firstNumber = 0) {
    this.#nextNumber = firstNumber
    this.#started = performance.now()
    this.#end = this.#started + seconds * 1000
  }

  get goesOn(): boolean {
    return this.#wrong === undefined && performance.now() < this.#end
  }

  /** The number of the next call. */
  takeNumber(): number {
    return this.#nextNumber++
  }

  /** A right answer to a call that began then. What ends after the end does not count. */
  right(began: number): void {
    const now = performance.now()
    if (now <= this.#end) this.#times.push(now - began)
  }

  wrong(what: string): void {
    this.#wrong ??= what
  }

  result(): LoadResult {
    if (this.#wrong !== undefined) throw new Error(`a wrong answer: ${this.#wrong}`)
    const calls = this.#times.length
    return {
      calls,
      perSecond: (calls / (this.#end - this.#started)) * 1000,
      p50Ms: percentile(this.#times, 0.5),
      p95Ms: percentile(this.#times, 0.95),
      p99Ms: percentile(this.#times, 0.99),
      nextNumber: this.#nextNumber,
    }
  }
}
