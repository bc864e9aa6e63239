import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from '@gatehouse/local'
import type { ScenarioResult } from '../run-scenario.ts'
import type { Scenario } from '../scenario.ts'
import { keepRows, rowsOf } from './results.ts'
import { tableOf, withTable } from './table.ts'

/** Keeps the figures of a run, and writes them into the page on reliability. */
export async function writeReport(results: readonly ScenarioResult[], scenarios: readonly Scenario[]): Promise<void> {
  const fresh = rowsOf(results, new Date().toISOString().slice(0, 10))
  const rows = await keepRows(
    fresh,
    scenarios.map(({ name }) => name),
  )
  const page = join(root, 'docs/reliability.md')
  await writeFile(page, withTable(await readFile(page, 'utf8'), tableOf(rows, scenarios)))
}
