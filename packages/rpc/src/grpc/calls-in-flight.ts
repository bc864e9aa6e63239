/** What a stream in flight must be able to do. */
export interface AbortableStream {
  abort(reason: unknown): void
}

/** How many calls a door serves at once, and the streams among them, so that a drain can end those. */
export class CallsInFlight {
  readonly #maxCalls: number
  readonly #maxStreams: number
  readonly #streams = new Set<AbortableStream>()
  #calls = 0
  #ending: unknown

  constructor({ maxCalls, maxStreams }: { readonly maxCalls: number; readonly maxStreams: number }) {
    this.#maxCalls = maxCalls
    this.#maxStreams = maxStreams
  }

  /** Counts a unary call in; `false` where there are too many already. */
  enter(): boolean {
    if (this.#calls >= this.#maxCalls) return false
    this.#calls += 1
    return true
  }

  leave(): void {
    this.#calls -= 1
  }

  /** Counts a stream in; `false` where there are too many already. */
  enterStream(stream: AbortableStream): boolean {
    if (this.#streams.size >= this.#maxStreams) return false
    this.#streams.add(stream)
    if (this.#ending !== undefined) stream.abort(this.#ending)
    return true
  }

  leaveStream(stream: AbortableStream): void {
    this.#streams.delete(stream)
  }

  /** Ends every stream, and those that still come: a stream would hold a drain for ever. */
  endStreams(reason: unknown): void {
    this.#ending = reason
    for (const stream of this.#streams) stream.abort(reason)
  }
}
