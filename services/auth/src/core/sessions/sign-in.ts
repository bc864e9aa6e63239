import { User_State, User_StateSchema } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { eventRow } from '@gatehouse/events'
import { transact } from '@gatehouse/postgres'
import { findFactors } from '../../store/factors.ts'
import { notOpened } from '../../store/open-sessions.ts'
import { auditEntry } from '../audit/audit.ts'
import { concerning } from '../audit/refusals.ts'
import type { Deps } from '../deps.ts'
import { neededOf } from '../factors/held-factors.ts'
import { verifyPassword } from '../passwords/verify-password.ts'
import { resolveActivePerson, resolvePerson } from '../people/resolve-person.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { newSession, programClientId, signInAct } from './open-session.ts'
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
  const known = await resolvePerson(deps, { tenant, by: { case: 'email', value: input.email } })
  if (known) concerning(known.id, known.state === User_State.ACTIVE ? {} : { state: nameOf(known.state) })
  const credential = await deps.batches.credential({ tenant, id: known?.id ?? nobody })
  const right = await verifyPassword(deps, credential?.password_hash, input.password, input.signal)
  if (!right || !known || !credential || known.state !== User_State.ACTIVE) throw wrong()

  // The hash took its time: ask once more. Whatever ended since the password was read is seen by the statement that opens the session.
  const user = await resolveActivePerson(deps, { tenant, userId: known.id })
  if (!user) throw wrong()
  // A session whose tokens nobody can sign is not opened.
  await deps.keys.signer(tenant)
  if (credential.second_factor) return await askForSecondFactor(deps, input, { userId: user.id, epoch: credential.epoch })
  const { event, tokenHash, ...opened } = newSession(deps, {
    tenant,
    userId: user.id,
    ...(input.clientId !== undefined && { clientId: input.clientId }),
    userAgent: input.userAgent,
    source: input.source,
    amr: ['pwd'],
  })
  const { epoch, version: credentialVersion } = credential
  const [roles] = await Promise.all([
    deps.batches.opening({
      ...opened,
      tokenHash,
      event: eventRow(event),
      entry: auditEntry(signInAct(opened.session)),
      epoch,
      credentialVersion,
    }),
    resetSignInLimit(deps, { tenant, email: input.email }),
  ])
  if (roles === notOpened) throw wrong()
  deps.committed()
  deps.log.info({ tenant, person: user.id, session: opened.session.id, source: opened.session.network }, 'signed in')
  return { case: 'signedIn', value: await signedIn(deps, { ...opened, roles }, user) }
}

/** The password is right, and is not enough. Wrong passwords stay counted until the sign-in is whole: whoever knows the password only, goes on guessing. */
async function askForSecondFactor(
  deps: Deps,
  input: SignInInput,
  { userId, epoch }: { userId: string; epoch: number },
): Promise<SignInOutcome> {
  const { tenant, clientId = programClientId } = input
  const held = await findFactors(deps.db, { tenant, userId })
  const pending = { tenant, userId, sessionId: null, clientId, methods: ['pwd'], strength: neededOf(held), epoch }
  return { case: 'nextStep', value: await transact(deps.db, (tx) => beginNextStep(tx, deps, pending, held)) }
}

const nameOf = (state: User_State): string => User_StateSchema.value[state]?.localName.toLowerCase() ?? ''

function wrong() {
  return refuse(ErrorReason.EMAIL_OR_PASSWORD_WRONG)
}
