import { ErrorReason } from '@gatehouse/contracts/gatehouse/user/v1/error_reason_pb'
import { emailKey } from '@gatehouse/rpc'
import { findUserByEmailKey, type UserRow } from '../store/users.ts'
import type { Deps } from './deps.ts'
import { getUser } from './get-user.ts'
import { refuse } from './refuse.ts'

export type ResolveUser = { tenant: string; id: string } | { tenant: string; email: string }

/** Reads a person by id or address in whatever state; an address finds nobody who is deleted. */
export async function resolveUser(deps: Deps, by: ResolveUser): Promise<UserRow> {
  if ('id' in by) return getUser(deps, by)
  const user = await findUserByEmailKey(deps.db, by.tenant, emailKey(by.email))
  if (!user) throw refuse(ErrorReason.USER_NOT_FOUND)
  return user
}
