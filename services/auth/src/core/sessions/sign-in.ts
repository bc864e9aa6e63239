import { User_State, User_StateSchema } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { eventRow } from '@gatehouse/events'
import { Strength, trustedDeviceMethod } from '@gatehouse/identity'
import { transact } from '@gatehouse/postgres'
import { findFactors } from '../../store/factors.ts'
import { notOpened } from '../../store/open-sessions.ts'
import { auditEntry } from '../audit/audit.ts'
import { concerning } from '../audit/refusals.ts'
import { connectionRequired, requiredConnection } from '../connections/required-connection.ts'
import type { Deps } from '../deps.ts'
import { type Attempt, counted } from '../passwords/attempts.ts'
import { upgradePassword } from '../passwords/upgrade-password.ts'
import { refusePassword, verifyPassword } from '../passwords/verify-password.ts'
import { resolveActivePerson, resolvePerson } from '../people/resolve-person.ts'
import { requireAllowed } from '../policies/allowed-factors.ts'
import { type Demand, demandOf, rulesFor } from '../policies/demands.ts'
import { policyOf } from '../policies/policy-of.ts'
import { lifetimesIn } from '../policies/session-lifetimes.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { judgeSignIn, suspicionsOf } from '../suspicion/judge-sign-in.ts'
import { tellSuspendedTried } from '../suspicion/tell-suspended-tried.ts'
import { tellSuspicion } from '../suspicion/tell-suspicion.ts'
import { deviceToken, knownDevice } from './known-device.ts'
import { newSession, programClientId, signInAct } from './open-session.ts'
import { beginNextStep, type SignInOutcome } from './pending-sign-in.ts'
import { signedIn } from './signed-in.ts'
import { type TrustedDevice, trustedDevice } from './trusted-device.ts'

export interface SignInInput {
  readonly tenant: string
  readonly email: string
  readonly password: string
  readonly userAgent: string
  readonly source: string
  readonly clientId?: string
  /** What earlier sign-ins left there. */
  readonly deviceToken?: string
  /** What a sign-in after which the person trusted the device left there. */
  readonly trustToken?: string
  /** Aborted when nobody waits for the answer any more: the hash is not begun then. */
  readonly signal?: AbortSignal
}

/** Nobody has this id: whoever is unknown costs the same question as whoever is known. */
const nobody = '00000000-0000-0000-0000-000000000000'

/** Signs a person in with a password. Whatever is wrong, strangers get the same answer after the same work. */
export async function signIn(deps: Deps, input: SignInInput): Promise<SignInOutcome> {
  const { tenant, email, source, signal } = input
  const began = performance.now()
  const [policy, known, required] = await Promise.all([
    policyOf(deps, tenant),
    resolvePerson(deps, { tenant, by: { case: 'email', value: email } }),
    requiredConnection(deps, tenant, email),
  ])
  if (known) concerning(known.id, known.state === User_State.ACTIVE ? {} : { state: nameOf(known.state) })
  requireAllowed(policy, 'password')
  const userId = known?.id ?? nobody
  const credential = await deps.batches.credential({ tenant, id: userId })
  const askedMs = performance.now() - began
  deps.hashing.asking.took(known ? 'known' : 'unknown', askedMs)
  const owner = { tenant, userId, credentialVersion: credential?.version ?? 0 }
  const presented = input.deviceToken ?? ''
  const guesser = { tenant, email, source, userId: known?.id, deviceId: knownDevice(deps, owner, presented) }

  return await counted(deps, guesser, async (attempt) => {
    // Where people of the address come another way, no password is right, after the same work as ever.
    const checked = known?.state === User_State.ACTIVE && required === undefined ? credential : undefined
    const [right] = await Promise.all([
      checked
        ? verifyPassword(deps, checked.password_hash, input.password, signal)
        : refusePassword(deps, credential?.password_hash, input.password, signal),
      // While the password is hashed, which takes longer: the answer comes when that of anybody else would.
      tellSuspendedTried(deps, tenant, known),
    ])
    if (!right || !checked) {
      // To hear of nobody takes another time than to hear of somebody.
      await deps.hashing.asking.rest(askedMs, signal)
      throw required === undefined ? wrong() : connectionRequired(required)
    }

    // The hash took its time: ask once more. Whatever ended since the password was read is seen by the statement that opens the session.
    const user = await resolveActivePerson(deps, { tenant, userId })
    if (!user) throw wrong()
    // A session whose tokens nobody can sign is not opened.
    await deps.keys.signer(tenant)
    const rules = await rulesFor(deps, { tenant, userId }, policy)
    const upgraded = { ...owner, checkedHash: checked.password_hash, password: input.password }
    let trusted: TrustedDevice | undefined
    if (checked.second_factor || rules.isSecondRequired) {
      const demand = demandOf(rules, await findFactors(deps.db, { tenant, userId }))
      if (demand.strength > Strength.ONE_FACTOR) {
        const truster = { ...owner, epoch: checked.epoch, factorVersion: checked.factor_version }
        // Where the tenant takes nothing that the person has any more, something is to be added first, on a trusted device too.
        if (demand.enrol.length === 0) trusted = trustedDevice(deps, truster, input.trustToken ?? '', policy)
        if (trusted === undefined) {
          const [judged] = await Promise.all([attempt.right(), upgradePassword(deps, upgraded)])
          await tellAmongMany(deps, judged, { tenant, userId })
          return await askForSecondFactor(deps, input, { ...demand, trustDays: policy.trustedDeviceDays }, { userId, epoch: checked.epoch })
        }
      }
    }
    const { event, tokenHash, ...opened } = newSession(deps, {
      tenant,
      userId,
      ...(input.clientId !== undefined && { clientId: input.clientId }),
      userAgent: input.userAgent,
      source,
      amr: trusted ? ['pwd', trustedDeviceMethod] : ['pwd'],
      lifetimes: lifetimesIn(policy),
    })
    const { epoch, version: credentialVersion } = checked
    const [outcome, judged] = await Promise.all([
      deps.batches.opening({
        ...opened,
        tokenHash,
        event: eventRow(event),
        entry: auditEntry(signInAct(opened.session, trusted && { device: trusted.id })),
        epoch,
        credentialVersion,
      }),
      attempt.right(),
      upgradePassword(deps, upgraded),
    ])
    if (outcome === notOpened) throw wrong()
    const { roles, seen } = outcome
    // Told before anybody gets the tokens: a session whose suspicion is not on record is nobody's.
    const signIn = { session: opened.session, seen, deviceKnown: guesser.deviceId !== undefined }
    if (suspicionsOf(signIn).length > 0) await transact(deps.db, (tx) => judgeSignIn(tx, deps, signIn))
    await tellAmongMany(deps, judged, { tenant, userId, sessionId: opened.session.id })
    deps.committed()
    deps.log.info({ tenant, person: userId, session: opened.session.id, source: opened.session.network }, 'signed in')
    const result = await signedIn(deps, { ...opened, roles }, user)
    result.deviceToken = deviceToken(deps, owner, presented)
    return { case: 'signedIn', value: result }
  })
}

/** Passwords of many accounts were wrong from there, and this one was right: its owner is asked whether it was them. */
async function tellAmongMany(
  deps: Deps,
  { amongMany }: Awaited<ReturnType<Attempt['right']>>,
  whose: { tenant: string; userId: string; sessionId?: string },
): Promise<void> {
  if (amongMany) await transact(deps.db, (tx) => tellSuspicion(tx, deps, { ...whose, kinds: ['many_accounts'], mail: true }))
}

/** The password is right, and is not enough. Guesses at the second factor are counted by themselves. */
async function askForSecondFactor(
  deps: Deps,
  input: SignInInput,
  demand: Demand & { trustDays: number },
  { userId, epoch }: { userId: string; epoch: number },
): Promise<SignInOutcome> {
  const { tenant, clientId = programClientId } = input
  const pending = { tenant, userId, sessionId: null, clientId, methods: ['pwd'], strength: demand.strength, epoch }
  return { case: 'nextStep', value: await transact(deps.db, (tx) => beginNextStep(tx, deps, pending, demand)) }
}

const nameOf = (state: User_State): string => User_StateSchema.value[state]?.localName.toLowerCase() ?? ''

function wrong() {
  return refuse(ErrorReason.EMAIL_OR_PASSWORD_WRONG)
}
