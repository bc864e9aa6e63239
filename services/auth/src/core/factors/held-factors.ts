import { Factor, type FactorProof } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { Strength, strengthOf } from '@gatehouse/identity'
import type { HeldFactors } from '../../store/factors.ts'

/** How strongly somebody with these factors can prove who they are. Who came from elsewhere has a first one with that. */
export function reachOf(held: HeldFactors, shown: readonly string[] = []): Strength {
  if (held.passkeys.length > 0) return Strength.PHISHING_RESISTANT
  return (held.password || shown.includes('fed')) && held.totp ? Strength.TWO_FACTORS : Strength.ONE_FACTOR
}

/** What a sign-in of somebody with these factors has to reach: a second factor that is there is asked for, whichever way they come. */
export function neededOf(held: HeldFactors): Strength {
  return held.passkeys.length > 0 || held.totp ? Strength.TWO_FACTORS : Strength.ONE_FACTOR
}

const methodsOf: ReadonlyMap<Factor, readonly string[]> = new Map([
  [Factor.PASSKEY, ['pop', 'user']],
  [Factor.TOTP, ['otp']],
  [Factor.RECOVERY_CODE, ['rcv']],
  [Factor.PASSWORD, ['pwd']],
])

const factorsOfProofs = {
  passkeyJson: Factor.PASSKEY,
  totpCode: Factor.TOTP,
  recoveryCode: Factor.RECOVERY_CODE,
  password: Factor.PASSWORD,
} as const

/** Which factor somebody shows. */
export function factorOfProof({ case: kind }: FactorProof['proof']): Factor {
  return kind === undefined ? Factor.UNSPECIFIED : factorsOfProofs[kind]
}

/** The factors that lead on from what was shown to what has to be reached, the strongest first. */
export function factorsToward(wanted: Strength, shown: readonly string[], held: HeldFactors): Factor[] {
  const hasSecond = held.totp || held.passkeys.length > 0
  const there = [
    ...(held.passkeys.length > 0 ? [Factor.PASSKEY] : []),
    ...(held.totp ? [Factor.TOTP] : []),
    ...(hasSecond && held.recoveryCodes > 0 ? [Factor.RECOVERY_CODE] : []),
    ...(held.password ? [Factor.PASSWORD] : []),
  ]
  const after = (methods: readonly string[], factor: Factor) => [...methods, ...(methodsOf.get(factor) ?? [])]
  return there.filter((factor) => {
    const methods = after(shown, factor)
    if (methods.every((method) => shown.includes(method))) return false
    if (strengthOf(methods) >= wanted) return true
    // A passkey is enough by itself; whoever shows something else may need one thing more, which would not do without it.
    const others = there.filter((other) => other !== factor && other !== Factor.PASSKEY)
    return others.some((other) => strengthOf(after(methods, other)) >= wanted && strengthOf(after(shown, other)) < wanted)
  })
}
