import type { Row } from '../results.ts'
import { mark, shown, shownRatio } from './numbers.ts'

/** Rows as the lines of a table for a terminal. */
export function tableLines(rows: readonly Row[]): readonly string[] {
  const cells = rows.map((row) => [
    row.name,
    row.what,
    `${shown(row.figure)} ${row.unit}`,
    row.against === null ? '' : `${row.against} ${shown(row.against_figure ?? Number.NaN)}`,
    shownRatio(row),
    row.goal ?? '',
    mark(row.holds),
  ])
  const all = [['benchmark', 'what', 'figure', 'against', 'ratio', 'goal', ''], ...cells]
  const widths = (all[0] ?? []).map((_, column) => Math.max(...all.map((line) => line[column]?.length ?? 0)))
  return all.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
