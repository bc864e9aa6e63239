import type { HouseNeeds } from '../src/scenario.ts'
import type { Edit } from '../src/scratch-tree.ts'

/** A mistake that somebody could make, put into a copy of the tree: the harness has to find it. */
export interface PlantedFault {
  readonly name: string
  /** What is wrong, in a phrase. */
  readonly mistake: string
  /** The scenario that has to find it. */
  readonly scenario: string
  /** One of these rules has to be what sees it: a house that breaks elsewhere proves nothing. */
  readonly rules: readonly [string, ...string[]]
  readonly edits: readonly Edit[]
  /** What is wrong with its house, where the mistake is no code of ours. */
  readonly house?: HouseNeeds
}
