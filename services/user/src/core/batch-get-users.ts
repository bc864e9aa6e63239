import { findUsers, type UserRow } from '../store/users.ts'
import type { Deps } from './deps.ts'

/** Reads many people in whatever state, in the order of the ids; ids of nobody come back apart. */
export async function batchGetUsers(
  deps: Deps,
  { tenant, ids }: { tenant: string; ids: readonly string[] },
): Promise<{ users: UserRow[]; missingIds: string[] }> {
  // Two spellings of one id are one row.
  const distinct = [...new Set(ids.map((id) => id.toLowerCase()))]
  const rows = await findUsers(
    deps.db,
    distinct.map((id) => ({ tenant, id })),
  )
  const byId = new Map(rows.map((row) => [row.id, row]))
  const users: UserRow[] = []
  const missingIds: string[] = []
  for (const id of ids) {
    const user = byId.get(id.toLowerCase())
    if (user) users.push(user)
    else missingIds.push(id)
  }
  return { users, missingIds }
}
