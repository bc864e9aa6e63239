import type { FactorProof } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { transact } from '@gatehouse/postgres'
import { holdCredentialVersion } from '../../store/credentials.ts'
import type { SignInPlace } from '../accounts/caller.ts'
import type { Deps } from '../deps.ts'
import { resolveActivePerson } from '../people/resolve-person.ts'
import { policyOf } from '../policies/policy-of.ts'
import { lifetimesIn } from '../policies/session-lifetimes.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { deviceToken, knownDevice } from './known-device.ts'
import { openSession } from './open-session.ts'
import { beginNextStep, goOn, type SignInOutcome } from './pending-sign-in.ts'
import { advance, showNextFactor } from './show-next-factor.ts'
import { signedIn } from './signed-in.ts'
import { mayTrust, trustDevice } from './trusted-device.ts'

export interface ContinueSignInInput {
  readonly tenant: string
  readonly continuation: string
  readonly proof: FactorProof['proof']
  readonly place: SignInPlace
  /** The person trusts the device, where the policy lets them. */
  readonly trustDevice?: boolean
}

/** One more factor of a half-finished sign-in: the session, or what is still missing. */
export async function continueSignIn(deps: Deps, input: ContinueSignInInput): Promise<SignInOutcome> {
  const { tenant, place } = input
  const pending = await goOn(deps, { tenant, continuation: input.continuation, sessionId: null })
  const policy = await policyOf(deps, tenant)
  const shown = await showNextFactor(deps, policy, pending, input.proof, place.signal)
  const [user] = await Promise.all([resolveActivePerson(deps, { tenant, userId: pending.user_id }), shown.forgetWrong?.()])
  if (!user) throw refuse(ErrorReason.PERSON_CANNOT_SIGN_IN)
  // A session whose tokens nobody can sign is not opened.
  await deps.keys.signer(tenant)
  const outcome = await transact(deps.db, async (tx) => {
    const { methods, held, reached } = await advance(tx, policy, pending, shown)
    const base = { tenant, userId: user.id, clientId: place.clientId ?? pending.client_id }
    if (!reached)
      return await beginNextStep(
        tx,
        deps,
        { ...base, sessionId: null, methods, strength: pending.strength, epoch: pending.epoch },
        { held, enrol: [], trustDays: policy.trustedDeviceDays },
      )
    const { userAgent, source } = place
    const credentialVersion = (await holdCredentialVersion(tx, base)) ?? 0
    const deviceKnown = knownDevice(deps, { ...base, credentialVersion }, place.deviceToken ?? '') !== undefined
    const session = { ...base, userAgent, source, amr: methods, lifetimes: lifetimesIn(policy), deviceKnown }
    const opened = await openSession(tx, deps, session)
    if (!input.trustDevice || !mayTrust(policy, methods)) return { opened, credentialVersion, trustToken: '' }
    const [{ epoch }, sessionId, presented] = [pending, opened.session.id, place.trustToken ?? '']
    const trust = { ...base, epoch, credentialVersion, sessionId, presented, days: policy.trustedDeviceDays }
    return { opened, credentialVersion, trustToken: await trustDevice(tx, deps, trust) }
  })
  if (!('opened' in outcome)) return { case: 'nextStep', value: outcome }
  const { opened, credentialVersion, trustToken } = outcome
  deps.committed()
  deps.log.info({ tenant, person: user.id, session: opened.session.id, source: opened.session.network }, 'signed in')
  const result = await signedIn(deps, opened, user)
  result.deviceToken = deviceToken(deps, { tenant, userId: user.id, credentialVersion }, place.deviceToken ?? '')
  result.trustToken = trustToken
  return { case: 'signedIn', value: result }
}
