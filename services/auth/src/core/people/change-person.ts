import { Code, ConnectError } from '@connectrpc/connect'
import { ErrorReason as CommonReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { type User, User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { commonRefusal, forTenant, reasonOf } from '@gatehouse/rpc'
import type { Deps } from '../deps.ts'

/** How long the user service may take. */
const patienceMs = 5_000

/** Why the user service did not do it. */
export type Obstacle = 'email_taken' | 'person_state'

interface Person {
  readonly tenant: string
  readonly userId: string
}

/** Creates a person who has proven the mailbox; the same id again answers the person that it made. */
export async function registerPerson(
  deps: Pick<Deps, 'users'>,
  input: Person & { email: string; name: string; locale: string },
): Promise<User | Obstacle> {
  const { tenant, userId: id, email, name, locale } = input
  return await settle(async () => (await deps.users.registerUser({ id, email, name, locale }, callAs(tenant))).user)
}

/** Makes an invited person active. */
export async function activatePerson(deps: Pick<Deps, 'users'>, input: Person): Promise<User | Obstacle> {
  return await settle(async () => (await deps.users.activateUser({ id: input.userId }, callAs(input.tenant))).user)
}

/** Gives an active person another address. */
export async function changePersonEmail(deps: Pick<Deps, 'users'>, input: Person & { email: string }): Promise<User | Obstacle> {
  const { tenant, userId: id, email } = input
  return await settle(async () => (await deps.users.changeUserEmail({ id, email }, callAs(tenant))).user)
}

/** Whoever is anything but active after it was suspended or deleted meanwhile. Without an answer the call is refused and may be repeated. */
async function settle(ask: () => Promise<User | undefined>): Promise<User | Obstacle> {
  try {
    const user = await ask()
    return user?.state === User_State.ACTIVE ? user : 'person_state'
  } catch (error) {
    if (reasonOf(error) === 'EMAIL_TAKEN') return 'email_taken'
    const { code } = ConnectError.from(error)
    if (code === Code.NotFound || code === Code.FailedPrecondition) return 'person_state'
    throw commonRefusal(CommonReason.DEPENDENCY_UNAVAILABLE, { dependency: 'user' }, { cause: error })
  }
}

function callAs(tenant: string) {
  return forTenant(tenant, { timeoutMs: patienceMs })
}
