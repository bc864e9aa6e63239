import { Strength } from '@gatehouse/contracts/gatehouse/options/v1/options_pb'
import type { NeededStrength } from '@gatehouse/web'

const strengths: Readonly<Record<NeededStrength, Strength>> = {
  '': Strength.UNSPECIFIED,
  one_factor: Strength.ONE_FACTOR,
  two_factors: Strength.TWO_FACTORS,
  phishing_resistant: Strength.PHISHING_RESISTANT,
}

/** What a refusal asks for, as a step-up is asked for it. */
export function strengthOf(needed: NeededStrength): Strength {
  return strengths[needed]
}
