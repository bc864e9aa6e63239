import { linesOf } from '@gatehouse/cli'
import type { Deps } from '../deps.ts'
import { type Candidate, type ImportedAs, LineProblem, personReader } from './person-of-line.ts'
import { peopleWriter } from './write-people.ts'

export type ImportUsers = {
  readonly tenant: string
  readonly as: ImportedAs
  /** Newline-delimited JSON. */
  readonly input: AsyncIterable<Uint8Array>
  /** Told of every line that came to nothing, as a sentence. */
  readonly onProblem: (sentence: string) => void
  /** Told after every batch. */
  readonly onProgress?: (soFar: Imported) => void
  /** People of one transaction. */
  readonly batchSize?: number
}

/** How many lines came to what. */
export type Imported = {
  lines: number
  imported: number
  /** Were there already, from an earlier run or otherwise; left as they are. */
  existing: number
  /** Have the id or the address of another person, of the same file or not. */
  taken: number
  /** Name nobody. */
  bad: number
}

const defaultBatchSize = 5_000

/** Batches on their way at once: Postgres works on each with a process of its own. */
export const batchesAtOnce = 2

/**
 * Brings in people, a line each. Every batch comes with its events or not at all, and people who exist stay as they are, so that a run that was
 * interrupted is made whole by running the same file again. While Postgres takes two batches, the next one is read; no more than these are held.
 */
export async function importUsers(
  deps: Pick<Deps, 'db' | 'committed'>,
  { tenant, as, input, onProblem, onProgress = () => undefined, batchSize = defaultBatchSize }: ImportUsers,
): Promise<Imported> {
  const soFar: Imported = { lines: 0, imported: 0, existing: 0, taken: 0, bad: 0 }
  const read = personReader({ tenant, as })
  const write = peopleWriter(deps.db, { tenant, as })
  let batch: Candidate[] = []
  let failure: unknown
  const underWay = new Set<Promise<void>>()

  const writeOut = async (people: readonly Candidate[]): Promise<void> => {
    const { imported, existing, taken } = await write(people)
    soFar.imported += imported
    soFar.existing += existing
    soFar.taken += taken.length
    for (const { line, problem } of taken) onProblem(`line ${line} ${problem}`)
    if (imported > 0) deps.committed()
    onProgress(soFar)
  }
  const hand = async (): Promise<void> => {
    const people = batch
    batch = []
    while (underWay.size >= batchesAtOnce) await Promise.race(underWay)
    if (failure !== undefined) throw failure
    const writing = writeOut(people)
      .catch((error: unknown) => {
        failure ??= error
      })
      .finally(() => underWay.delete(writing))
    underWay.add(writing)
  }

  try {
    for await (const lines of linesOf(input)) {
      for (const line of lines) {
        soFar.lines++
        try {
          if (line.problem !== undefined) throw new LineProblem(line.problem)
          batch.push({ line: line.number, ...read(line.text) })
        } catch (error) {
          if (!(error instanceof LineProblem)) throw error
          soFar.bad++
          onProblem(`line ${line.number} ${error.message}`)
        }
        if (batch.length === batchSize) await hand()
      }
    }
    if (batch.length > 0) await hand()
  } finally {
    // What was handed over is written, whatever became of the rest.
    await Promise.all(underWay)
  }
  if (failure !== undefined) throw failure
  return soFar
}
