import { type HashKind, readHash } from './encoded-hash.ts'

/** What a new hash costs: Argon2id with one lane. */
export interface HashParameters {
  readonly memoryKib: number
  readonly passes: number
}

/** Least memory for so many passes (OWASP ASVS 5.0, 11.4.2 and appendix C). */
const floors = [
  { passes: 1, memoryKib: 47_104 },
  { passes: 2, memoryKib: 19_456 },
  { passes: 3, memoryKib: 12_288 },
] as const

/** The cheapest of them by memory times passes. */
export const leastParameters: HashParameters = floors[1]

/** What is wrong with parameters, if anything is. */
export function problemOfParameters({ memoryKib, passes }: HashParameters): string | undefined {
  const floor = floors.findLast((each) => each.passes <= passes)
  if (floor === undefined || memoryKib >= floor.memoryKib) return undefined
  return `PASSWORD_MEMORY_KIB has to be ${floor.memoryKib} or more with PASSWORD_PASSES ${passes}`
}

export function kindOf({ memoryKib, passes }: HashParameters): HashKind {
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=1$ 32`
}

/** Whether a stored hash is made anew with these parameters: none that would fall, in memory or in passes, is. */
export function isOutdated(encoded: string, wanted: HashParameters): boolean {
  const stored = readHash(encoded)
  if (stored?.algorithm !== 'argon2id' || stored.lanes !== 1) return true
  const falls = stored.memoryKib > wanted.memoryKib || stored.passes > wanted.passes
  const rises = stored.memoryKib < wanted.memoryKib || stored.passes < wanted.passes
  // What came from elsewhere may be cheaper than anything that is made here.
  return rises && (!falls || problemOfParameters(stored) !== undefined)
}
