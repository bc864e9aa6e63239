import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { eventRow } from '@gatehouse/events'
import { Strength } from '@gatehouse/identity'
import { findFactors } from '../../store/factors.ts'
import { notOpened } from '../../store/open-sessions.ts'
import type { Deps } from '../deps.ts'
import { verifyPassword } from '../passwords/verify-password.ts'
import { resolveActivePerson, resolvePerson } from '../people/resolve-person.ts'
import { requireAllowed } from '../policies/allowed-factors.ts'
import { demandOf, type Rules, rulesFor } from '../policies/demands.ts'
import { policyOf } from '../policies/policy-of.ts'
import { lifetimesIn } from '../policies/session-lifetimes.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { newSession, programClientId } from './open-session.ts'
import { beginNextStep, type SignInOutcome } from './pending-sign-in.ts'
import { resetSignInLimit } from './sign-in-limit.ts'
import { signedIn } from './signed-in.ts'

export interface SignInInput {
  readonly tenant: string
  readonly email: string
  readonly password: string
  readonly userAgent: string
  readonly source: string
  readonly clientId?: string
  /** Aborted when nobody waits for the answer any more: the hash is not begun then. */
  readonly signal?: AbortSignal
}

/** Nobody has this id: whoever is unknown costs the same question as whoever is known. */
const nobody = '00000000-0000-0000-0000-000000000000'

/** Signs a person in with a password. Whatever is wrong, strangers get the same answer after the same work. */
export async function signIn(deps: Deps, input: SignInInput): Promise<SignInOutcome> {
  const { tenant } = input
  const [policy, known] = await Promise.all([
    policyOf(deps, tenant),
    resolvePerson(deps, { tenant, by: { case: 'email', value: input.email } }),
  ])
  requireAllowed(policy, 'password')
  const credential = await deps.batches.credential({ tenant, id: known?.id ?? nobody })
  const right = await verifyPassword(deps, credential?.password_hash, input.password, input.signal)
  if (!right || !known || !credential || known.state !== User_State.ACTIVE) throw wrong()

  // The hash took its time: ask once more. Whatever ended since the password was read is seen by the statement that opens the session.
  const user = await resolveActivePerson(deps, { tenant, userId: known.id })
  if (!user) throw wrong()
  // A session whose tokens nobody can sign is not opened.
  await deps.keys.signer(tenant)
  const rules = await rulesFor(deps, { tenant, userId: user.id }, policy)
  if (credential.second_factor || rules.isSecondRequired) {
    const step = await askForSecondFactor(deps, input, rules, { userId: user.id, epoch: credential.epoch })
    if (step) return step
  }
  const { event, tokenHash, ...opened } = newSession(deps, {
    tenant,
    userId: user.id,
    ...(input.clientId !== undefined && { clientId: input.clientId }),
    userAgent: input.userAgent,
    source: input.source,
    amr: ['pwd'],
    lifetimes: lifetimesIn(policy),
  })
  const { epoch, version: credentialVersion } = credential
  const [roles] = await Promise.all([
    deps.batches.opening({ ...opened, tokenHash, event: eventRow(event), epoch, credentialVersion }),
    resetSignInLimit(deps, { tenant, email: input.email }),
  ])
  if (roles === notOpened) throw wrong()
  deps.committed()
  deps.log.info({ tenant, person: user.id, session: opened.session.id, source: opened.session.network }, 'signed in')
  return { case: 'signedIn', value: await signedIn(deps, { ...opened, roles }, user) }
}

/** The password is right, and may not be enough; undefined where it is. Wrong passwords stay counted until the sign-in is whole: whoever knows the password only, goes on guessing. */
async function askForSecondFactor(
  deps: Deps,
  input: SignInInput,
  rules: Rules,
  { userId, epoch }: { userId: string; epoch: number },
): Promise<SignInOutcome | undefined> {
  const { tenant, clientId = programClientId } = input
  const demand = demandOf(rules, await findFactors(deps.db, { tenant, userId }))
  if (demand.strength <= Strength.ONE_FACTOR) return undefined
  const pending = { tenant, userId, sessionId: null, clientId, methods: ['pwd'], strength: demand.strength, epoch }
  return { case: 'nextStep', value: await beginNextStep(deps.db, deps, pending, demand) }
}

function wrong() {
  return refuse(ErrorReason.EMAIL_OR_PASSWORD_WRONG)
}
