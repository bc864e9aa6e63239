/** What a browser answered proves nothing. The message is for the log: whoever showed it is not told. */
export class PasskeyProblem extends Error {
  override readonly name = 'PasskeyProblem'
}

/** A part of the verification that is another's: whatever it throws is a problem of the answer. */
export async function withProblems<T>(verify: () => T | Promise<T>): Promise<T> {
  try {
    return await verify()
  } catch (error) {
    // It repeats what came from outside, which can be long.
    throw new PasskeyProblem(error instanceof Error ? error.message.slice(0, 200) : 'unknown', { cause: error })
  }
}
