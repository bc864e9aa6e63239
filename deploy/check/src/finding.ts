import type { House } from './manifests.ts'

/** Something that is wrong with a house, where, and the rule by which it is. */
export type Finding = { readonly rule: string; readonly house: string; readonly where: string; readonly says: string }

/** Looks at a house, and tells for each thing that is wrong where it is and what. */
export type Rule = (house: House) => Iterable<Told> | AsyncIterable<Told>
export type Told = readonly [where: string, says: string]
