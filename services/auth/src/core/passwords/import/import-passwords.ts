import { linesOf } from '@gatehouse/cli'
import { type User, User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { insertCredentials } from '../../../store/credentials.ts'
import { notePasswordKinds } from '../../../store/password-kinds.ts'
import type { Deps } from '../../deps.ts'
import { resolvePerson } from '../../people/resolve-person.ts'
import { LineProblem, type PasswordLine, passwordOfLine } from './password-of-line.ts'

export interface ImportPasswords {
  readonly tenant: string
  /** Newline-delimited JSON. */
  readonly input: AsyncIterable<Uint8Array>
  /** Told of every line that came to nothing, as a sentence. */
  readonly onProblem: (sentence: string) => void
  /** Told after every batch. */
  readonly onProgress?: (soFar: ImportedPasswords) => void
  /** Passwords of one statement. */
  readonly batchSize?: number
}

/** How many lines came to what. */
export interface ImportedPasswords {
  lines: number
  imported: number
  /** Belong to people who have a password already, from an earlier run or otherwise; it stays. */
  existing: number
  /** Bring no password, or one of nobody. */
  bad: number
}

const defaultBatchSize = 500

/** Questions about addresses at once; those about ids go out together. */
const questionsAtOnce = 32

/**
 * Brings in hashes that were made elsewhere, a line each. Whoever has a password keeps it, so that a run that was interrupted is made whole by running the
 * same file again. What would cost too much to verify is refused here: a sign-in takes whatever is stored.
 */
export async function importPasswords(
  deps: Pick<Deps, 'db' | 'users' | 'batches' | 'now'>,
  { tenant, input, onProblem, onProgress = () => undefined, batchSize = defaultBatchSize }: ImportPasswords,
): Promise<ImportedPasswords> {
  const soFar: ImportedPasswords = { lines: 0, imported: 0, existing: 0, bad: 0 }
  const bad = (line: number, problem: string) => {
    soFar.bad++
    onProblem(`line ${line} ${problem}`)
  }
  let batch: PasswordLine[] = []
  const write = async () => {
    const lines = batch
    batch = []
    const people = await peopleOf(deps, tenant, lines)
    const rows = new Map<string, { userId: string; hash: string }>()
    for (const [at, each] of lines.entries()) {
      const problem = problemOf(people[at])
      const userId = people[at]?.id ?? ''
      if (problem !== undefined) bad(each.line, problem)
      else if (rows.has(userId)) bad(each.line, 'is about a person of whom another line tells already')
      else rows.set(userId, { userId, hash: each.hash })
    }
    const time = new Date(deps.now())
    // Before the first of its hashes can be met: refusals wait for the slowest kind.
    await notePasswordKinds(deps.db, [...new Set(lines.map(({ kind }) => kind))], time)
    const imported = await insertCredentials(deps.db, { tenant, rows: [...rows.values()], time })
    soFar.imported += imported
    soFar.existing += rows.size - imported
    onProgress(soFar)
  }
  for await (const lines of linesOf(input)) {
    for (const line of lines) {
      soFar.lines++
      try {
        if (line.problem !== undefined) throw new LineProblem(line.problem)
        batch.push({ line: line.number, ...passwordOfLine(line.text) })
      } catch (error) {
        if (!(error instanceof LineProblem)) throw error
        bad(line.number, error.message)
      }
      if (batch.length === batchSize) await write()
    }
  }
  if (batch.length > 0) await write()
  return soFar
}

async function peopleOf(
  deps: Pick<Deps, 'users' | 'batches'>,
  tenant: string,
  lines: readonly PasswordLine[],
): Promise<readonly (User | undefined)[]> {
  const people: (User | undefined)[] = []
  for (let at = 0; at < lines.length; at += questionsAtOnce) {
    const some = lines.slice(at, at + questionsAtOnce)
    people.push(...(await Promise.all(some.map(({ owner: by }) => resolvePerson(deps, { tenant, by })))))
  }
  return people
}

function problemOf(person: User | undefined): string | undefined {
  if (person === undefined || person.state === User_State.DELETED)
    return 'is about nobody: bring the people in first (gatehouse user import)'
  if (person.state === User_State.INVITED) return 'is about somebody who has not accepted their invitation: they choose a password then'
  return undefined
}
