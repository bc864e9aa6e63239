import type { House } from './house.ts'

/** How long a run takes its time. */
export interface Effort {
  readonly name: 'full' | 'quick' | 'smoke'
  /** How often each side has its turn. */
  readonly rounds: number
  /** Seconds of one turn. */
  readonly seconds: number
  /** Seconds of each side before anything counts. */
  readonly warmUpSeconds: number
  /** How many single events (mails, starts) are timed. */
  readonly samples: number
  /** Whether databases survive a power cut, as in a house that people live in. */
  readonly durable: boolean
}

export const efforts: Readonly<Record<Effort['name'], Effort>> = {
  full: { name: 'full', rounds: 9, seconds: 2, warmUpSeconds: 4, samples: 100, durable: true },
  quick: { name: 'quick', rounds: 2, seconds: 0.3, warmUpSeconds: 0.3, samples: 8, durable: true },
  smoke: { name: 'smoke', rounds: 1, seconds: 0.3, warmUpSeconds: 0.2, samples: 3, durable: false },
}

/** The middle of several rounds, and the lowest and highest. */
export interface Spread {
  readonly low: number
  readonly median: number
  readonly high: number
}

/** What a benchmark found: one figure, beside what it is held against. */
export interface Finding {
  readonly name: string
  /** What the figure is of. */
  readonly what: string
  readonly figure: Spread
  readonly unit: string
  /** The peer or floor of the same run. */
  readonly against?: { readonly name: string; readonly figure: Spread }
  /** Ours to theirs, of neighbouring rounds; larger is better. */
  readonly ratio?: Spread
  readonly goal?: Goal
  /** What belongs to this figure beside the machine. */
  readonly conditions?: Readonly<Record<string, string | number>>
}

/** What the median is held to. */
export interface Goal {
  readonly of: 'figure' | 'ratio'
  readonly least?: number
  readonly most?: number
}

/** What a benchmark runs with. */
export interface Bench {
  readonly effort: Effort
  /** The largest crowd of a benchmark that grows one, at full effort. */
  readonly people: number
  /** A whole Gatehouse of real processes, shared by the benchmarks of a run and started by the first that asks. */
  house(): Promise<House>
  say(line: string): void
}

/** One entry of `pnpm bench NAME`. It throws when an answer is wrong. */
export interface Benchmark {
  readonly name: string
  readonly about: string
  /** Needs no house. */
  readonly alone?: true
  run(bench: Bench): Promise<readonly Finding[]>
}
