/** One value in memory that pages follow. */
export interface Kept<T> {
  readonly get: () => T | undefined
  readonly set: (value: T | undefined) => void
  readonly subscribe: (listener: () => void) => () => void
}

export function kept<T>(): Kept<T> {
  let value: T | undefined
  const listeners = new Set<() => void>()
  return {
    get: () => value,
    set(next) {
      value = next
      for (const listener of listeners) listener()
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}
