import { listRoles } from '../../store/role-bindings.ts'
import type { Db } from '../deps.ts'
import { declaredPermissions } from './declared-permissions.ts'

/** The role that may do everything that the contracts know. */
export const administrator = 'administrator'

/** What a person or service account may do, by the roles that are bound to it. */
export async function permissionsOf(db: Db, subject: { tenant: string; id: string }): Promise<readonly string[]> {
  const roles = await listRoles(db, subject)
  return roles.includes(administrator) ? declaredPermissions : []
}
