/** One thing that the doctor looked at. */
export interface Finding {
  /** `wrong` is to be mended, and makes the exit code 1; a `note` may be as it should, or not. */
  readonly level: 'ok' | 'note' | 'wrong'
  readonly what: string
  /** What to do about it. */
  readonly remedy?: string
}

/** Looks at one subject. Rejects when it cannot look, which is a finding too. */
export type Check = () => Promise<readonly Finding[]>

export const ok = (what: string): Finding => ({ level: 'ok', what })
export const note = (what: string, remedy?: string): Finding => ({ level: 'note', what, ...(remedy !== undefined && { remedy }) })
export const wrong = (what: string, remedy: string): Finding => ({ level: 'wrong', what, remedy })

/** One of two, by whether it holds. */
export const either = (holds: boolean, good: string, bad: string, remedy: string): Finding => (holds ? ok(good) : wrong(bad, remedy))

/** Runs the checks; what a check could not see is told in its words. */
export async function examine(checks: readonly Check[]): Promise<Finding[]> {
  const found: Finding[] = []
  for (const check of checks) {
    try {
      found.push(...(await check()))
    } catch (error) {
      found.push(
        wrong(
          `this could not be looked at: ${error instanceof Error ? error.message : String(error)}`,
          'mend what stands above, then look again',
        ),
      )
    }
  }
  return found
}
