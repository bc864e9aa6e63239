/**
 * Acts at once. The first failure aborts the signal of the others, and is what this rejects with when they have ended too: nothing of them goes on, and
 * what they opened is where they put it.
 */
export async function together<T>(acts: readonly ((signal: AbortSignal) => Promise<T>)[], outer?: AbortSignal): Promise<readonly T[]> {
  const failed = new AbortController()
  const signal = outer ? AbortSignal.any([failed.signal, outer]) : failed.signal
  const done: T[] = []
  await Promise.allSettled(
    acts.map(async (act, at) => {
      try {
        done[at] = await act(signal)
      } catch (error) {
        failed.abort(error)
      }
    }),
  )
  failed.signal.throwIfAborted()
  return done
}
