import { shown } from '@gatehouse/cli'
import { isConflict, isRolledBack, isUnavailable, isUniqueViolation, sqlState } from '@gatehouse/postgres'

const again = 'Whole batches are in. Run the same file again, which changes nobody who is there.'

/** What an operator is told of an error of Postgres that ended an import; undefined of any other error. */
export function sentenceOf(error: unknown): string | undefined {
  const code = sqlState(error)
  if (code === '57014' || code === '55P03') return `Postgres took too long over a batch, or a lock was held for too long. ${again}`
  if (isConflict(error) || isUniqueViolation(error))
    return `Others wrote the same people at the same time, again and again (SQLSTATE ${code}). ${again}`
  if (isUnavailable(error)) return `Postgres cannot be reached, or went away. ${again}`
  if (code === undefined) return undefined
  // What Postgres says of a value quotes it, and it is about a person.
  const said = isRolledBack(error) ? '' : `: ${shown((error as Error).message)}`
  return `Postgres refused a batch (SQLSTATE ${code})${said}. ${again}`
}
