import { builtInRole } from './built-in-roles.ts'

/** What the built-in ones among these roles allow. */
export function permissionsOf(roles: readonly string[]): readonly string[] {
  return [...new Set(roles.flatMap((role) => builtInRole(role)?.permissions ?? []))].sort()
}

/** The roles among these that the tenant made itself. */
export function ownRolesOf(roles: readonly string[]): readonly string[] {
  return roles.filter((role) => builtInRole(role) === undefined)
}
