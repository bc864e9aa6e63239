import { acrOf, Strength } from '@gatehouse/identity'

const strengths = [Strength.ONE_FACTOR, Strength.TWO_FACTORS, Strength.PHISHING_RESISTANT] as const

const strengthByAcr = new Map(strengths.map((strength) => [acrOf(strength), strength]))

/** The values of `acr` that are offered, the weakest first. */
export const acrValues: readonly string[] = [...strengthByAcr.keys()]

/** What no sign-in reaches. */
const OUT_OF_REACH = Strength.PHISHING_RESISTANT + 1

/** What a client asked of the `acr` of its ID token. */
export interface AskedAcr {
  readonly essential?: boolean | undefined
  readonly value?: unknown
  readonly values?: readonly unknown[] | undefined
}

/** The strength of an `acr`; undefined of one that we do not know. */
export function strengthOfAcr(acr: unknown): Strength | undefined {
  return typeof acr === 'string' ? strengthByAcr.get(acr) : undefined
}

/**
 * The least strength that satisfies a client: of several values the weakest is the demand. OpenID Connect calls `acr_values` voluntary; whoever sends them
 * means them. Unknown ones demand nothing, unless they are essential and no other is named.
 */
export function demandedStrength(asked: AskedAcr | null | undefined, leastOfClient: number): number {
  const values = valuesOf(asked)
  const known = values.map(strengthOfAcr).filter((each) => each !== undefined)
  const least = known.length > 0 ? Math.min(...known) : values.length > 0 && asked?.essential === true ? OUT_OF_REACH : 0
  return Math.max(least, leastOfClient)
}

/** The `acr` that a session of this one answers: the first that was asked for and that it reaches, else its own. */
export function answeredAcr(asked: AskedAcr | null | undefined, own: string): string {
  const reached = strengthOfAcr(own) ?? 0
  const fitting = valuesOf(asked).find((each) => (strengthOfAcr(each) ?? OUT_OF_REACH) <= reached)
  return typeof fitting === 'string' ? fitting : own
}

function valuesOf(asked: AskedAcr | null | undefined): readonly unknown[] {
  if (Array.isArray(asked?.values)) return asked.values
  return asked?.value === undefined ? [] : [asked.value]
}
