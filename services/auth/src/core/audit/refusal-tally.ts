const minuteMs = 60_000
/** Callers that are told apart; whoever comes beyond is written down each time, until the minute is over. */
const maxKeys = 10_000

interface Count {
  readonly begun: number
  unwritten: number
}

/** Refusals that come again and again, of which the first of each minute is written down. */
export class RefusalTally {
  readonly #now: () => number
  readonly #counts = new Map<string, Count>()

  constructor(now: () => number) {
    this.#now = now
  }

  /** How many were not written since the last one that was, where this one has to be; else undefined. */
  count(key: string): number | undefined {
    const now = this.#now()
    const held = this.#counts.get(key)
    if (held !== undefined && now - held.begun < minuteMs) {
      held.unwritten++
      return undefined
    }
    if (held === undefined && this.#counts.size >= maxKeys) this.#forget(now)
    if (held !== undefined || this.#counts.size < maxKeys) this.#counts.set(key, { begun: now, unwritten: 0 })
    return held?.unwritten ?? 0
  }

  #forget(now: number): void {
    for (const [key, { begun }] of this.#counts) if (now - begun >= minuteMs) this.#counts.delete(key)
  }
}
