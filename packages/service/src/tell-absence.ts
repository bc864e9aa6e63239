export interface AbsenceOptions {
  /** Says that it is away, and why. */
  readonly away: (problem: string) => void
  /** Says that it is back, where its absence was said. */
  readonly back: () => void
  /** Who is back within this was not away: doors end streams from time to time. Default 3,000. */
  readonly graceMs?: number
}

/** Says once what has been away for a while, and that it is back; nothing of what is back at once. */
export function tellAbsence({ away, back, graceMs = 3_000 }: AbsenceOptions): Disposable & { readonly told: (error: unknown) => void } {
  let timer: NodeJS.Timeout | undefined
  let isTold = false
  const forget = () => {
    clearTimeout(timer)
    timer = undefined
  }
  return {
    /** Told of what broke, or undefined when it works again. */
    told(error) {
      if (error !== undefined) {
        timer ??= setTimeout(() => {
          isTold = true
          away(error instanceof Error ? error.message : String(error))
        }, graceMs).unref()
        return
      }
      forget()
      if (isTold) back()
      isTold = false
    },
    [Symbol.dispose]: forget,
  }
}
