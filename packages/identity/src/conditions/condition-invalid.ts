/** A condition cannot be accepted; both parts may be shown to whoever wrote it. */
export class ConditionInvalid extends Error {
  override readonly name = 'ConditionInvalid'
  /** Where, in characters from 1. */
  readonly position: number
  /** What is wrong there. */
  readonly problem: string

  constructor(position: number, problem: string) {
    super(`character ${position}: ${problem}`)
    this.position = position
    this.problem = problem
  }
}
