import type { SignedInResult } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { eventRow } from '@gatehouse/events'
import { notOpened } from '../../store/open-sessions.ts'
import type { Deps } from '../deps.ts'
import { verifyPassword } from '../passwords/verify-password.ts'
import { resolveActivePerson, resolvePerson } from '../people/resolve-person.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { newSession } from './open-session.ts'
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
export async function signIn(deps: Deps, input: SignInInput): Promise<SignedInResult> {
  const { tenant } = input
  const known = await resolvePerson(deps, { tenant, by: { case: 'email', value: input.email } })
  const credential = await deps.batches.credential({ tenant, id: known?.id ?? nobody })
  const right = await verifyPassword(deps, credential?.password_hash, input.password, input.signal)
  if (!right || !known || !credential || known.state !== User_State.ACTIVE) throw wrong()

  // The hash took its time: ask once more. Whatever ended since the password was read is seen by the statement that opens the session.
  const user = await resolveActivePerson(deps, { tenant, userId: known.id })
  if (!user) throw wrong()
  // A session whose tokens nobody can sign is not opened.
  await deps.keys.signer(tenant)
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
    deps.batches.opening({ ...opened, tokenHash, event: eventRow(event), epoch, credentialVersion }),
    resetSignInLimit(deps, { tenant, email: input.email }),
  ])
  if (roles === notOpened) throw wrong()
  deps.committed()
  deps.log.info({ tenant, person: user.id, session: opened.session.id, source: opened.session.network }, 'signed in')
  return await signedIn(deps, { ...opened, roles }, user)
}

function wrong() {
  return refuse(ErrorReason.EMAIL_OR_PASSWORD_WRONG)
}
