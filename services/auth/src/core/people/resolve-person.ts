import { Code, ConnectError } from '@connectrpc/connect'
import { ErrorReason as CommonReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { type User, User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { commonRefusal, forTenant } from '@gatehouse/rpc'
import type { Deps } from '../deps.ts'

/** How long the user service may take before a sign-in gives up on it. */
const patienceMs = 3_000

export interface ResolvePersonInput {
  readonly tenant: string
  readonly by: { case: 'email'; value: string } | { case: 'id'; value: string }
}

/** Asks who that is, in whatever state. Without an answer the call is refused: nobody is signed in on a guess. Never call it with a transaction open. */
export async function resolvePerson(deps: Pick<Deps, 'users'>, input: ResolvePersonInput): Promise<User | undefined> {
  try {
    const answer = await deps.users.resolveUser({ by: input.by }, forTenant(input.tenant, { timeoutMs: patienceMs }))
    return answer.user
  } catch (error) {
    if (ConnectError.from(error).code === Code.NotFound) return undefined
    throw commonRefusal(CommonReason.DEPENDENCY_UNAVAILABLE, { dependency: 'user' }, { cause: error })
  }
}

/** The person of that id if they may be signed in at this moment. */
export async function resolveActivePerson(deps: Pick<Deps, 'users'>, key: { tenant: string; userId: string }): Promise<User | undefined> {
  const user = await resolvePerson(deps, { tenant: key.tenant, by: { case: 'id', value: key.userId } })
  return user?.state === User_State.ACTIVE ? user : undefined
}
