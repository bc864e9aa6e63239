import { Strength } from '@gatehouse/contracts/gatehouse/options/v1/options_pb'

export { Strength }

/** The `acr` of tokens by the strength of the sign-in: the assurance levels of NIST SP 800-63B-4, and `phr`, phishing-resistant, of OpenID's EAP profile. */
const acrs: ReadonlyMap<Strength, string> = new Map([
  [Strength.ONE_FACTOR, 'aal1'],
  [Strength.TWO_FACTORS, 'aal2'],
  [Strength.PHISHING_RESISTANT, 'phr'],
])

/** The `acr` claim of a strength. */
export function acrOf(strength: Strength): string {
  return acrs.get(strength) ?? 'aal1'
}

/** The strength that an `acr` claim says; what is unknown, or absent as in tokens of an earlier release, counts as one factor. */
export function strengthOfAcr(acr: unknown): Strength {
  for (const [strength, name] of acrs) if (name === acr) return strength
  return Strength.ONE_FACTOR
}

/** Stands in `amr` where a trusted device left a second factor out that the person has: it is no factor, and adds nothing to the strength. */
export const trustedDeviceMethod = 'dev'

/** How strongly somebody proved who they are with these methods (RFC 8176, and our `rcv`, `mail`, `fed` and `dev`). A mailbox counts for nothing beside a password; a provider elsewhere that said who it is, `fed`, counts as one. */
export function strengthOf(methods: readonly string[]): Strength {
  const has = (method: string) => methods.includes(method)
  if (has('pop') && has('user')) return Strength.PHISHING_RESISTANT
  if ((has('pwd') || has('fed')) && (has('pop') || has('otp') || has('rcv'))) return Strength.TWO_FACTORS
  return Strength.ONE_FACTOR
}

const names: ReadonlyMap<Strength, string> = new Map([
  [Strength.ONE_FACTOR, 'one_factor'],
  [Strength.TWO_FACTORS, 'two_factors'],
  [Strength.PHISHING_RESISTANT, 'phishing_resistant'],
])

/** The name of a strength in refusals; empty where none is asked for. */
export function nameOfStrength(strength: Strength): string {
  return names.get(strength) ?? ''
}

/** The stronger of two. */
export function strongerOf(a: Strength, b: Strength): Strength {
  return a < b ? b : a
}
