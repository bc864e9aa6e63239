import { Factor, type SignedInResult } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { transact } from '@gatehouse/postgres'
import { nextFactorVersion } from '../../store/factors.ts'
import type { SignInPlace } from '../accounts/caller.ts'
import type { Deps } from '../deps.ts'
import { type Continued, enrolFactor, requireEnrollable, whoEnrols } from './enrol-factor.ts'
import { checkFirstCode, setUpTotp, type TotpSetup } from './totp.ts'

/** Sets an app up for somebody who is halfway in and must have a second factor first. */
export async function beginTotpEnrolment(deps: Deps, input: Continued): Promise<TotpSetup> {
  const { pending, person, rules, user } = await whoEnrols(deps, input)
  return await transact(deps.db, async (tx) => {
    await nextFactorVersion(tx, person)
    await requireEnrollable(tx, rules, pending, Factor.TOTP)
    return await setUpTotp(tx, deps, person, user.email)
  })
}

/** The first code of the app ends the sign-in. */
export async function completeTotpEnrolment(
  deps: Deps,
  input: Continued & { code: string; place: SignInPlace },
): Promise<{ signedIn: SignedInResult; recoveryCodes: string[] }> {
  const enrolling = await whoEnrols(deps, input)
  const write = await checkFirstCode(deps, enrolling.person, input.code)
  return await enrolFactor(deps, enrolling, { factor: Factor.TOTP, methods: ['otp'], write }, input.place)
}
