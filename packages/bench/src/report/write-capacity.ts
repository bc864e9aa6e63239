import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Entry, root } from '../results.ts'
import { capacityTable, withCapacity } from './capacity.ts'

const page = join(root, 'docs', 'scale.md')

/** Puts what follows from these figures into `docs/scale.md`, which stays as it is after a run in which a benchmark had no figure. */
export async function writeCapacity(entries: readonly Entry[]): Promise<void> {
  if (entries.some((entry) => 'failed' in entry)) return
  await writeFile(page, withCapacity(await readFile(page, 'utf8'), capacityTable(entries)))
}

if (import.meta.main) await writeCapacity(JSON.parse(await readFile(join(root, 'packages/bench/results/latest.json'), 'utf8')) as Entry[])
