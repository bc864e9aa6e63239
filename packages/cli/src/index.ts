export { type Line, linesOf } from './lines.ts'
export { shown } from './shown.ts'

/** A command of `gatehouse`, told by the service that owns what it works on. */
export interface Command {
  /** The words that call it: `tenants create`. */
  readonly name: string
  /** What stands behind the name: `ID --origin URL`. */
  readonly usage?: string
  /** One line for the list of commands. */
  readonly summary: string
  /** Whether it is run for each service when none is named. */
  readonly forEach?: boolean
  /**
   * Does it. Standard output is for the result alone.
   * @throws {@link CommandProblem} when it was called wrongly, {@link CommandFailed} when it was called rightly and could not.
   */
  readonly run: (args: readonly string[], env: Readonly<Record<string, string | undefined>>) => Promise<void>
}

/** The operator called a command wrongly, or its environment is wrong: a sentence, no stack, and exit code 2. */
export class CommandProblem extends Error {
  constructor(sentence: string) {
    super(sentence)
    this.name = 'CommandProblem'
  }
}

/** The command was called rightly and found nothing, could not do it, or the answer is bad: a sentence, no stack, and exit code 1. */
export class CommandFailed extends Error {
  constructor(sentence: string) {
    super(sentence)
    this.name = 'CommandFailed'
  }
}
