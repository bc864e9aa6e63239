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

/** The rows that are kept in the checkout. */
export async function readRows(): Promise<readonly Row[]> {
  const file = join(root, kept)
  return existsSync(file) ? (JSON.parse(await readFile(file, 'utf8')) as Row[]) : []
}

/** The rows of the last commit. */
export function committedRows(): readonly Row[] {
  try {
    return JSON.parse(
      execFileSync('git', ['show', `HEAD:${kept}`], { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
    ) as Row[]
  } catch {
    return []
  }
}

/** Replaces the rows of the benchmarks that ran and keeps the others; answers all, in the order of `names`. */
export async function writeRows(fresh: readonly Row[], names: readonly string[]): Promise<readonly Row[]> {
  const ran = new Set(fresh.map(({ name }) => name))
  const rows = [...(await readRows()).filter(({ name }) => !ran.has(name) && names.includes(name)), ...fresh].toSorted(
    (a, b) => names.indexOf(a.name) - names.indexOf(b.name),
  )
  await mkdir(dirname(join(root, kept)), { recursive: true })
  await writeFile(join(root, kept), `${JSON.stringify(rows, undefined, 2)}\n`)
  return rows
}
