import { existsSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { root } from '@gatehouse/local'
import type { ScenarioResult } from '../run-scenario.ts'

/** What is kept of the last run of a scenario; a run of many seeds is one row. */
export interface Row {
  readonly scenario: string
  readonly effort: ScenarioResult['effort']
  /** The first, and how many followed it. */
  readonly seed: number
  readonly seeds: number
  readonly operations: number
  readonly unknown: number
  readonly faults: number
  readonly violations: number
  /** Names of the rules that did not hold. */
  readonly rules: readonly string[]
  readonly seconds: number
  /** The day of the run. */
  readonly date: string
}

const kept = join(root, 'packages/chaos/results/latest.json')

/** Sums up the runs of each scenario. */
export function rowsOf(results: readonly ScenarioResult[], date: string): readonly Row[] {
  return [...Map.groupBy(results, ({ scenario }) => scenario)].map(([scenario, runs]) => {
    const sum = (of: (run: ScenarioResult) => number) => runs.reduce((total, run) => total + of(run), 0)
    return {
      scenario,
      effort: runs[0]?.effort ?? 'full',
      seed: runs[0]?.seed ?? 0,
      seeds: runs.length,
      operations: sum(({ operations }) => operations),
      unknown: sum(({ unknown }) => unknown),
      faults: sum(({ faults }) => faults),
      violations: sum(({ violations }) => violations.length),
      rules: [...new Set(runs.flatMap(({ violations }) => violations.map(({ rule }) => rule)))],
      seconds: Math.round(sum(({ seconds }) => seconds)),
      date,
    }
  })
}

/** The last run of each scenario, as it was committed or written since. */
export function keptRows(): readonly Row[] {
  return existsSync(kept) ? (JSON.parse(readFileSync(kept, 'utf8')) as Row[]) : []
}

/** Replaces the rows of the scenarios that ran; answers all, in the given order. */
export async function keepRows(fresh: readonly Row[], order: readonly string[]): Promise<readonly Row[]> {
  const all = new Map([...keptRows(), ...fresh].map((row) => [row.scenario, row]))
  const rows = order.flatMap((name) => all.get(name) ?? [])
  await mkdir(dirname(kept), { recursive: true })
  await writeFile(kept, `${JSON.stringify(rows, undefined, 2)}\n`)
  return rows
}
