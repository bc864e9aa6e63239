/** Lets a few act at once; the others wait in the order in which they came. */
export interface Turns {
  /** Runs `act` when it is its turn; rejects with what `refuse` says then, or says when `end` is called. */
  take(act: () => Promise<void>, refuse: () => Error | undefined): Promise<void>
  /** Nobody has a turn any more; who acts is not disturbed. */
  end(): void
}

export function createTurns(atOnce: number): Turns {
  const waiting: (() => void)[] = []
  let acting = 0

  return {
    async take(act, refuse) {
      if (acting >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve))
      else acting++
      try {
        const refusal = refuse()
        if (refusal) throw refusal
        await act()
      } finally {
        // The place goes to the next one and never stands free between the two.
        const next = waiting.shift()
        if (next) next()
        else acting--
      }
    },
    end() {
      for (const resume of waiting.splice(0)) {
        acting++
        resume()
      }
    },
  }
}
