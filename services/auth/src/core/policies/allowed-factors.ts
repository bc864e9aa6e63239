import { SecondFactor_RequiredFor } from '@gatehouse/contracts/gatehouse/auth/v1/policy_pb'
import { Factor } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import type { HeldFactors } from '../../store/factors.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import type { WholePolicy } from './policy-of.ts'

const names = {
  password: 'password',
  passkey: 'passkey',
  totp: 'totp',
  recoveryCode: 'recovery_code',
  email: 'email',
} as const

/** Refuses what the tenant does not offer: the same for everybody, known or not. */
export function requireAllowed(policy: WholePolicy, factor: keyof typeof names): void {
  if (!isAllowed(policy, factor)) throw refuse(ErrorReason.FACTOR_NOT_ALLOWED, { factor: names[factor] })
}

function isAllowed({ factors, secondFactor }: WholePolicy, factor: keyof typeof names): boolean {
  // A mailbox is one factor at most: where everybody needs two, nobody comes in by it.
  if (factor === 'email' && secondFactor.requiredFor === SecondFactor_RequiredFor.EVERYBODY) return false
  return factors[factor]
}

/** What a person has of what the tenant allows. An app, and a code in its place, stand beside a password: without one they lead nowhere. */
export function allowedOf({ factors }: WholePolicy, held: HeldFactors): HeldFactors {
  const passkeys = factors.passkey ? held.passkeys : []
  const totp = held.totp && factors.totp && factors.password
  return {
    password: held.password && factors.password,
    totp,
    passkeys,
    recoveryCodes: factors.recoveryCode && factors.password ? held.recoveryCodes : 0,
  }
}

/** What somebody who needs a second factor and has none can add in the middle of a sign-in, the strongest first. */
export function enrollable({ factors }: WholePolicy, shown: readonly string[] = []): Factor[] {
  // Who came from elsewhere has something beside a passkey, whatever becomes of passwords here.
  if (!factors.password) return shown.includes('fed') && factors.passkey ? [Factor.PASSKEY] : []
  return [...(factors.passkey ? [Factor.PASSKEY] : []), ...(factors.totp ? [Factor.TOTP] : [])]
}
