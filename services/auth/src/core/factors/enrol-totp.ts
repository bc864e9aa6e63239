import type { SignedInResult } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { Strength } from '@gatehouse/identity'
import { transact } from '@gatehouse/postgres'
import { holdCredentialVersion } from '../../store/credentials.ts'
import { findFactors, nextFactorVersion } from '../../store/factors.ts'
import { claimPendingSignIn, type PendingSignInRow } from '../../store/pending-sign-ins.ts'
import { holdSessionEpoch, nextSessionEpoch } from '../../store/session-epochs.ts'
import type { SignInPlace } from '../accounts/caller.ts'
import type { Db, Deps } from '../deps.ts'
import { resolveActivePerson } from '../people/resolve-person.ts'
import { demandOf, type Rules, rulesFor } from '../policies/demands.ts'
import { lifetimesIn } from '../policies/session-lifetimes.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { deviceToken, knownDevice } from '../sessions/known-device.ts'
import { openSession } from '../sessions/open-session.ts'
import { goOn } from '../sessions/pending-sign-in.ts'
import { signedIn } from '../sessions/signed-in.ts'
import { tellChange } from './change-factors.ts'
import { makeRecoveryCodesIfNone } from './recovery-codes.ts'
import { checkFirstCode, setUpTotp, type TotpSetup } from './totp.ts'

interface Continued {
  readonly tenant: string
  readonly continuation: string
}

/** Sets an app up for somebody who is halfway in and must have a second factor first. */
export async function beginTotpEnrolment(deps: Deps, input: Continued): Promise<TotpSetup> {
  const pending = await goOn(deps, { ...input, sessionId: null })
  const { tenant, user_id: userId } = pending
  const rules = await rulesFor(deps, { tenant, userId })
  const user = await resolveActivePerson(deps, { tenant, userId })
  if (!user) throw refuse(ErrorReason.PERSON_CANNOT_SIGN_IN)
  return await transact(deps.db, async (tx) => {
    await nextFactorVersion(tx, { tenant, userId })
    await requireNoSecondFactor(tx, rules, pending)
    return await setUpTotp(tx, deps, { tenant, userId }, user.email)
  })
}

/** The first code of the app ends the sign-in: app, recovery codes and session are written together or not at all. */
export async function completeTotpEnrolment(
  deps: Deps,
  input: Continued & { code: string; place: SignInPlace },
): Promise<{ signedIn: SignedInResult; recoveryCodes: string[] }> {
  const { place } = input
  const pending = await goOn(deps, { ...input, sessionId: null })
  const { tenant, user_id: userId } = pending
  const person = { tenant, userId }
  const rules = await rulesFor(deps, person)
  const confirm = await checkFirstCode(deps, person, input.code)
  const user = await resolveActivePerson(deps, person)
  if (!user) throw refuse(ErrorReason.PERSON_CANNOT_SIGN_IN)
  // A session whose tokens nobody can sign is not opened.
  await deps.keys.signer(tenant)
  const { opened, recoveryCodes, credentialVersion } = await transact(deps.db, async (tx) => {
    const version = await nextFactorVersion(tx, person)
    const held = await requireNoSecondFactor(tx, rules, pending)
    if (!(await claimPendingSignIn(tx, { tenant, tokenHash: pending.token_hash }))) throw refuse(ErrorReason.CONTINUATION_INVALID)
    if ((await holdSessionEpoch(tx, person)) !== pending.epoch) throw refuse(ErrorReason.CONTINUATION_INVALID)
    await confirm(tx)
    // Whoever else is halfway in with the password alone begins anew, and is asked for the app.
    await nextSessionEpoch(tx, person)
    const codes = await makeRecoveryCodesIfNone(tx, deps, person, { held, policy: rules.policy })
    await tellChange(tx, person, { version, change: 'totp_added' })
    const { userAgent, source, clientId = pending.client_id } = place
    const amr = [...new Set([...pending.methods, 'otp'])]
    const credentialVersion = (await holdCredentialVersion(tx, person)) ?? 0
    const deviceKnown = knownDevice(deps, { ...person, credentialVersion }, place.deviceToken ?? '') !== undefined
    const session = { ...person, clientId, userAgent, source, amr, lifetimes: lifetimesIn(rules.policy), deviceKnown }
    return { opened: await openSession(tx, deps, session), recoveryCodes: codes, credentialVersion }
  })
  deps.committed()
  deps.log.info({ tenant, person: userId, session: opened.session.id, source: opened.session.network }, 'signed in with a new factor')
  const result = await signedIn(deps, opened, user)
  result.deviceToken = deviceToken(deps, { ...person, credentialVersion }, place.deviceToken ?? '')
  return { signedIn: result, recoveryCodes }
}

/** A continuation that asks for a factor that is there leads to no new one: whoever knows the password only would put their own beside it. */
async function requireNoSecondFactor(tx: Db, rules: Rules, pending: PendingSignInRow) {
  const { tenant, user_id: userId } = pending
  const held = await findFactors(tx, { tenant, userId })
  const { enrol } = demandOf(rules, held)
  const leadsOn = pending.strength === Strength.TWO_FACTORS && pending.methods.includes('pwd')
  if (!leadsOn || enrol.length === 0) throw refuse(ErrorReason.CONTINUATION_INVALID)
  return held
}
