import { ErrorReason } from '@gatehouse/contracts/gatehouse/user/v1/error_reason_pb'
import type { UserKey, UserRow } from '../store/users.ts'
import type { Deps } from './deps.ts'
import { refuse } from './refuse.ts'

/** Reads one person in whatever state. */
export async function getUser(deps: Deps, { tenant, id }: UserKey): Promise<UserRow> {
  const user = await deps.loadUser({ tenant, id: id.toLowerCase() })
  if (!user) throw refuse(ErrorReason.USER_NOT_FOUND)
  return user
}
