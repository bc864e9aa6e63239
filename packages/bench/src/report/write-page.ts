import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Entry, root } from '../results.ts'
import { pageOf } from './page.ts'
import { writeCapacity } from './write-capacity.ts'

/** Writes `docs/performance.md` and its charts, removes charts that nothing shows any more, and writes what follows from the figures into `docs/scale.md`. */
export async function writePage(
  entries: readonly Entry[],
  benchmarks: readonly { readonly name: string; readonly about: string }[],
): Promise<void> {
  const folder = join(root, 'docs', 'performance')
  const { markdown, charts } = pageOf(entries, benchmarks)
  await mkdir(folder, { recursive: true })
  for (const [file, chart] of charts) await writeFile(join(folder, file), chart)
  for (const file of await readdir(folder)) if (!charts.has(file)) await rm(join(folder, file))
  await writeFile(join(root, 'docs', 'performance.md'), markdown)
  await writeCapacity(entries)
}
