import { Factor, type SignedInResult } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import type { User } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { Strength } from '@gatehouse/identity'
import { transact } from '@gatehouse/postgres'
import { holdCredentialVersion } from '../../store/credentials.ts'
import { findFactors, type HeldFactors, nextFactorVersion } from '../../store/factors.ts'
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

export interface Continued {
  readonly tenant: string
  readonly continuation: string
}

/** Somebody who is halfway in, has shown their password, and must have a second factor first. */
export interface Enrolling {
  readonly pending: PendingSignInRow
  readonly person: { readonly tenant: string; readonly userId: string }
  readonly rules: Rules
  readonly user: User
}

/** A factor that was made and is right, as far as can be told without a transaction. */
export interface NewFactor {
  readonly factor: Factor
  /** What it adds to the methods of the sign-in (RFC 8176). */
  readonly methods: readonly string[]
  /** Writes it within the transaction that opens the session. */
  write(tx: Db): Promise<void>
}

/** Who it is that goes on, one attempt poorer. */
export async function whoEnrols(deps: Deps, input: Continued): Promise<Enrolling> {
  const pending = await goOn(deps, { ...input, sessionId: null })
  const person = { tenant: pending.tenant, userId: pending.user_id }
  const rules = await rulesFor(deps, person)
  const user = await resolveActivePerson(deps, person)
  if (!user) throw refuse(ErrorReason.PERSON_CANNOT_SIGN_IN)
  return { pending, person, rules, user }
}

/**
 * The new factor ends the sign-in: factor, recovery codes and session are written together or not at all. Whoever else is halfway in with the password alone begins
 * anew, and is asked for it.
 */
export async function enrolFactor(
  deps: Deps,
  { pending, person, rules, user }: Enrolling,
  { factor, methods, write }: NewFactor,
  place: SignInPlace,
): Promise<{ signedIn: SignedInResult; recoveryCodes: string[] }> {
  const { tenant, userId } = person
  // A session whose tokens nobody can sign is not opened.
  await deps.keys.signer(tenant)
  const { opened, recoveryCodes, credentialVersion } = await transact(deps.db, async (tx) => {
    const version = await nextFactorVersion(tx, person)
    const held = await requireEnrollable(tx, rules, pending, factor)
    if (!(await claimPendingSignIn(tx, { tenant, tokenHash: pending.token_hash }))) throw refuse(ErrorReason.CONTINUATION_INVALID)
    if ((await holdSessionEpoch(tx, person)) !== pending.epoch) throw refuse(ErrorReason.CONTINUATION_INVALID)
    await write(tx)
    await nextSessionEpoch(tx, person)
    const codes = await makeRecoveryCodesIfNone(tx, deps, person, { held, policy: rules.policy })
    await tellChange(tx, person, { version, change: factor === Factor.TOTP ? 'totp_added' : 'passkey_added' })
    const { userAgent, source, clientId = pending.client_id } = place
    const amr = [...new Set([...pending.methods, ...methods])]
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
export async function requireEnrollable(tx: Db, rules: Rules, pending: PendingSignInRow, factor: Factor): Promise<HeldFactors> {
  const { tenant, user_id: userId } = pending
  const held = await findFactors(tx, { tenant, userId })
  const { enrol } = demandOf(rules, held, pending.methods)
  const leadsOn = pending.strength === Strength.TWO_FACTORS && pending.methods.some((method) => method === 'pwd' || method === 'fed')
  if (!leadsOn || !enrol.includes(factor)) throw refuse(ErrorReason.CONTINUATION_INVALID)
  return held
}
