import type { Sample } from './sample.ts'

/** How something went over a run, told by the line through all of its samples: one of them alone says little. */
export interface Growth {
  readonly what: string
  readonly unit: string
  /** Where the line begins and ends. */
  readonly first: number
  readonly last: number
  /** What it may have grown by. */
  readonly most: number
}

/** What is flat, and what only looks so: a heap that has not been collected, a table that the autovacuum comes to once a minute. */
function allowance(what: string, first: number): { unit: string; most: number } {
  if (what.endsWith(' memory')) return { unit: 'MB', most: Math.max(15, first * 0.12) }
  if (what.endsWith(' handles')) return { unit: 'handles', most: 5 }
  if (what.endsWith(' dead rows')) return { unit: 'rows', most: 3_000 }
  if (what === 'postgres connections') return { unit: 'connections', most: 8 }
  return { unit: '', most: 0.5 }
}

/** The growth of everything that was counted in every sample. */
export function growthOf(samples: readonly Sample[]): readonly Growth[] {
  const names = [...(samples[0]?.values.keys() ?? [])].filter((name) => samples.every(({ values }) => values.has(name)))
  return names.map((what) => {
    const points = samples.map(({ seconds, values }) => [seconds, values.get(what) ?? 0] as const)
    const { first, last } = lineThrough(points)
    return { what, first, last, ...allowance(what, first) }
  })
}

/** Least squares. */
function lineThrough(points: readonly (readonly [number, number])[]): { first: number; last: number } {
  const mean = (of: (point: readonly [number, number]) => number) => points.reduce((sum, point) => sum + of(point), 0) / points.length
  const [x, y] = [mean(([at]) => at), mean(([, value]) => value)]
  const spread = mean(([at]) => (at - x) ** 2)
  const slope = spread === 0 ? 0 : mean(([at, value]) => (at - x) * (value - y)) / spread
  const at = (seconds: number) => y + slope * (seconds - x)
  return { first: at(points[0]?.[0] ?? 0), last: at(points.at(-1)?.[0] ?? 0) }
}
