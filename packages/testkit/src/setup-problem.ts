/**
 * Something about this machine, not about the code, stands in the way. The message is one sentence and a way out,
 * made to be shown to a person as it is, without a stack.
 */
export class SetupProblem extends Error {
  override readonly name = 'SetupProblem'
}
