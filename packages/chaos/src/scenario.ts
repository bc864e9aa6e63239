import type { Violation } from './checker/evidence.ts'
import type { Constellation, HouseOptions } from './constellation.ts'
import type { Random } from './random.ts'

/** How much a run takes on. */
export interface Effort {
  readonly name: 'smoke' | 'quick' | 'full'
  /** Faults of a scenario, about. */
  readonly faults: number
  /** Operations of a scenario, about. */
  readonly operations: number
  /** Minutes of what has a length of its own. */
  readonly minutes: number
}

export const efforts: Readonly<Record<Effort['name'], Effort>> = {
  smoke: { name: 'smoke', faults: 3, operations: 60, minutes: 0.1 },
  quick: { name: 'quick', faults: 15, operations: 300, minutes: 1 },
  full: { name: 'full', faults: 60, operations: 1_500, minutes: 20 },
}

export interface ScenarioContext {
  readonly random: Random
  readonly effort: Effort
  readonly say: (line: string) => void
}

export type HouseNeeds = Omit<HouseOptions, 'seed' | 'folder'>

/** One line of the table of bad days. */
export interface Scenario {
  readonly name: string
  /** What is done, in a phrase. */
  readonly faults: string
  /** What has to hold, in a sentence. */
  readonly promise: string
  /** What its house has to be like; what has to be there before goes into `parts`, and ends after the house. */
  readonly house?: HouseNeeds | ((parts: AsyncDisposableStack, say: (line: string) => void) => Promise<HouseNeeds>)
  /** Does not belong to a run of everything: it has a length of its own. */
  readonly alone?: true
  /**
   * Lets the bad day happen. When it returns the runner heals everything, waits until the dust has settled, and holds the whole house against every
   * rule; what only this scenario can see it answers itself.
   */
  run(house: Constellation, context: ScenarioContext): Promise<readonly Violation[]>
}
