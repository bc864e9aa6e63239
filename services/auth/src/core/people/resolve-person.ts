import { Code, ConnectError } from '@connectrpc/connect'
import { type User, User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { forTenant } from '@gatehouse/rpc'
import type { Deps } from '../deps.ts'
import { patienceMs, unanswered } from './ask-for-people.ts'

export interface ResolvePersonInput {
  readonly tenant: string
  readonly by: { case: 'email'; value: string } | { case: 'id'; value: string }
}

/** Asks who that is, in whatever state. Without an answer the call is refused: nobody is signed in on a guess. Never call it with a transaction open. */
export async function resolvePerson(deps: Pick<Deps, 'users' | 'batches'>, { tenant, by }: ResolvePersonInput): Promise<User | undefined> {
  if (by.case === 'id') return await deps.batches.person({ tenant, id: by.value })
  try {
    const answer = await deps.users.resolveUser({ by }, forTenant(tenant, { timeoutMs: patienceMs }))
    return answer.user
  } catch (error) {
    if (ConnectError.from(error).code === Code.NotFound) return undefined
    throw unanswered(error)
  }
}

/** The person of that id if they may be signed in at this moment. */
export async function resolveActivePerson(
  deps: Pick<Deps, 'users' | 'batches'>,
  key: { tenant: string; userId: string },
): Promise<User | undefined> {
  const user = await resolvePerson(deps, { tenant: key.tenant, by: { case: 'id', value: key.userId } })
  return user?.state === User_State.ACTIVE ? user : undefined
}
