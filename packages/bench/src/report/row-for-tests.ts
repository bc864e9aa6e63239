import type { Row } from '../results.ts'

/** A row that says little, for tests to say what matters to them. */
export function rowFor(said: Partial<Row>): Row {
  return {
    name: 'sign-in',
    what: 'sign-ins',
    against: null,
    figure: 10,
    figure_low: 9,
    figure_high: 11,
    unit: 'sign-ins/s',
    against_figure: null,
    ratio: null,
    ratio_low: null,
    ratio_high: null,
    goal: null,
    holds: null,
    conditions: { cores: 2 },
    ...said,
  }
}

/** The same against a peer. */
export function rivalRow(ratio: number, said: Partial<Row> = {}): Row {
  const ratios = { ratio, ratio_low: ratio / 2, ratio_high: ratio * 2 }
  return rowFor({ against: 'a rival', against_figure: 10 / ratio, goal: 'ratio ≥ 1', holds: ratio >= 1, ...ratios, ...said })
}
