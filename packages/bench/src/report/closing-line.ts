import type { Entry, Row } from '../results.ts'

/** How a run ended, what it missed, and whether anything of it is kept. */
export function closingLine(fresh: readonly Row[], failed: readonly string[], kept: readonly Entry[], seconds: number): string {
  const missed = fresh.filter(({ holds }) => holds === false).length
  const goals = fresh.length === 0 ? 'nothing was measured' : missed === 0 ? 'every goal that was measured holds' : `${missed} goals missed`
  const names = [...new Set(fresh.filter((row) => !kept.includes(row)).map(({ name }) => name))]
  const shownOnly = names.length === 0 ? '' : ` (of ${names.join(', ')} they keep the full run)`
  const pages = 'docs/performance.md and packages/bench/results/latest.json'
  const written =
    failed.length === 0 && fresh.every((row) => !kept.includes(row))
      ? `${pages} keep the full runs that they have`
      : `${pages} are written${shownOnly}`
  return [
    ...(failed.length === 0 ? [] : [`failed, with no figure: ${failed.join(', ')}`]),
    goals,
    `${written}, after ${seconds.toFixed(0)} s`,
  ].join('; ')
}
