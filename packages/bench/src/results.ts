import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Finding, Goal, Spread } from './benchmark.ts'
import type { Conditions } from './conditions.ts'

/** A finding as it is kept. */
export interface Row {
  readonly name: string
  readonly what: string
  /** The peer of the same run; null where the figure stands alone. */
  readonly against: string | null
  /** Median of the rounds. */
  readonly figure: number
  readonly figure_low: number
  readonly figure_high: number
  readonly unit: string
  readonly against_figure: number | null
  readonly ratio: number | null
  readonly ratio_low: number | null
  readonly ratio_high: number | null
  /** Such as `ratio ≥ 0.7`. */
  readonly goal: string | null
  /** Null where there is no goal. */
  readonly holds: boolean | null
  readonly conditions: Conditions
}

/** A benchmark that had no figure in its last run. */
export interface Failure {
  readonly name: string
  readonly failed: true
}

/** What is kept of the last run of each benchmark, in the order in which they run. */
export type Entry = Row | Failure

/** The root of the checkout. */
export const root = fileURLToPath(new URL('../../../', import.meta.url))

const kept = 'packages/bench/results/latest.json'

/** A finding with its judgement. */
export function rowOf(finding: Finding, conditions: Conditions): Row {
  const { name, what, figure, unit, against, ratio, goal } = finding
  return {
    name,
    what,
    against: against?.name ?? null,
    figure: rounded(figure.median),
    figure_low: rounded(figure.low),
    figure_high: rounded(figure.high),
    unit,
    against_figure: against ? rounded(against.figure.median) : null,
    ratio: ratio ? rounded(ratio.median) : null,
    ratio_low: ratio ? rounded(ratio.low) : null,
    ratio_high: ratio ? rounded(ratio.high) : null,
    goal: goal ? written(goal) : null,
    holds: goal ? holds(goal, figure, ratio) : null,
    conditions: { ...conditions, ...finding.conditions },
  }
}

function rounded(value: number): number {
  return Number(value.toPrecision(4))
}

function written({ of, least, most }: Goal): string {
  if (least !== undefined && least === most) return `${of} = ${least}`
  return `${of} ${least === undefined ? `≤ ${most}` : `≥ ${least}`}`
}

function holds({ of, least, most }: Goal, figure: Spread, ratio: Spread | undefined): boolean {
  const value = (of === 'ratio' ? ratio : figure)?.median ?? Number.NaN
  return (least === undefined || value >= least) && (most === undefined || value <= most)
}

/** The rows of the last commit. */
export function committedRows(): readonly Row[] {
  try {
    const text = execFileSync('git', ['show', `HEAD:${kept}`], { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    return (JSON.parse(text) as Entry[]).filter(isRow)
  } catch {
    return []
  }
}

export function isRow(entry: Entry): entry is Row {
  return !('failed' in entry)
}

/**
 * What is kept after a run: of the benchmarks that ran their rows, or that they failed, and of the others what there was. All in the order of `names`. The
 * rows of a quick run are for whoever looks on: they take no full run's place.
 */
export function keptAfter(before: readonly Entry[], run: readonly Entry[], names: readonly string[]): readonly Entry[] {
  const isFull = (entry: Entry): boolean => isRow(entry) && entry.conditions.effort === 'full'
  const measured = new Set(before.filter(isFull).map(({ name }) => name))
  const fresh = run.filter((entry) => !measured.has(entry.name) || isFull(entry) || !isRow(entry))
  const replaced = new Set(fresh.map(({ name }) => name))
  return [...before.filter(({ name }) => !replaced.has(name) && names.includes(name)), ...fresh].toSorted(
    (a, b) => names.indexOf(a.name) - names.indexOf(b.name),
  )
}

/** Keeps what a run brought in the checkout; answers all that is kept now. */
export async function writeResults(run: readonly Entry[], names: readonly string[]): Promise<readonly Entry[]> {
  const file = join(root, kept)
  const before = existsSync(file) ? (JSON.parse(await readFile(file, 'utf8')) as Entry[]) : []
  const entries = keptAfter(before, run, names)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, `${JSON.stringify(entries, undefined, 2)}\n`)
  return entries
}
