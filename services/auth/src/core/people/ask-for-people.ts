import { ErrorReason as CommonReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import type { User } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { commonRefusal, forTenant } from '@gatehouse/rpc'
import type { Users } from '../deps.ts'

/** How long the user service may take before a sign-in gives up on it. */
export const patienceMs = 3_000

/** The people of those ids, by id, in whatever state. Without an answer the call is refused: nobody is signed in on a guess. */
export async function askForPeople(
  users: Pick<Users, 'batchGetUsers'>,
  tenant: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, User>> {
  try {
    const answer = await users.batchGetUsers({ ids: [...ids] }, forTenant(tenant, { timeoutMs: patienceMs }))
    return new Map(answer.users.map((user) => [user.id, user]))
  } catch (error) {
    throw unanswered(error)
  }
}

export function unanswered(cause: unknown) {
  return commonRefusal(CommonReason.DEPENDENCY_UNAVAILABLE, { dependency: 'user' }, { cause })
}
