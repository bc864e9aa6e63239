/**
 * Which idle connections of a pool are worth a call. When a machine is gone without a word its connections look as they did: each would cost a call that
 * waits for all its time. What one of them shows holds for the others, unless they were heard of since it was asked.
 */
export class Silence {
  readonly #patienceMs: number
  readonly #heard = new WeakMap<object, number>()
  #since = Number.NEGATIVE_INFINITY

  /** So long the driver waits for an answer. */
  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs
  }

  /** It was opened, or answered whoever had it. */
  heard(client: object): void {
    this.#heard.set(client, performance.now())
  }

  /** A statement failed: when nothing answered it, nothing has since it was sent. */
  failed(error: unknown): void {
    for (let cause = error; cause instanceof Error; cause = cause.cause)
      if (cause.message === 'Query read timeout') this.#since = Math.max(this.#since, performance.now() - this.#patienceMs)
  }

  isDoubtful(client: object): boolean {
    return (this.#heard.get(client) ?? Number.POSITIVE_INFINITY) <= this.#since
  }
}
