import type { Row } from '../results.ts'

/** A number for people: three digits that matter, thousands apart. */
export function shown(value: number): string {
  if (Number.isNaN(value)) return '–'
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US')
  return String(Number(value.toPrecision(3)))
}

/** A ratio with the lowest and the highest round in brackets: neighbours on one machine disturb each other, and a reader should see how much. */
export function shownRatio({ ratio, ratio_low: low, ratio_high: high }: Pick<Row, 'ratio' | 'ratio_low' | 'ratio_high'>): string {
  return ratio === null ? '' : `${shown(ratio)} (${shown(low ?? Number.NaN)}–${shown(high ?? Number.NaN)})`
}

/** A goal's state as a mark. */
export function mark(holds: boolean | null): string {
  return holds === null ? '' : holds ? '✓' : '✗ missed'
}
