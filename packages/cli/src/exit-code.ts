import { ConfigError } from '@gatehouse/config'
import { CommandFailed, CommandProblem } from './index.ts'

/** One rule for all commands: 2 when it was called wrongly or badly configured, 1 when it was called rightly and found nothing or could not. */
export const exitCodeOf = (error: unknown): 1 | 2 => (error instanceof ConfigError || error instanceof CommandProblem ? 2 : 1)

/** Whether a sentence says it; what else is thrown is a fault of ours, and shows its stack. */
export function isExpected(error: unknown): boolean {
  // A file of the operator's that is not there or not theirs to read: Node's message names it.
  const isFile = error instanceof Error && 'path' in error && 'syscall' in error
  return exitCodeOf(error) === 2 || isFile || error instanceof CommandFailed
}
