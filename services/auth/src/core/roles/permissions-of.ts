import { declaredPermissions } from './declared-permissions.ts'

/** The role that may do everything that the contracts know. */
export const administrator = 'administrator'

/** What a person or service account may do with these roles. */
export function permissionsOf(roles: readonly string[] | undefined): readonly string[] {
  return roles?.includes(administrator) ? declaredPermissions : []
}
