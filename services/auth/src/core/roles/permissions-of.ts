import type { Deps } from '../deps.ts'
import { builtInRole } from './built-in-roles.ts'

/** What the built-in ones among these roles allow. */
export function permissionsOf(roles: readonly string[]): readonly string[] {
  return [...new Set(roles.flatMap((role) => builtInRole(role)?.permissions ?? []))].sort()
}

/** The roles among these that the tenant made itself. */
export function ownRolesOf(roles: readonly string[]): readonly string[] {
  return roles.filter((role) => builtInRole(role) === undefined)
}

/** What these roles allow. The tenant's own ones are looked up, the built-in ones are known. */
export async function permissionsOfRoles(
  deps: Pick<Deps, 'batches'>,
  tenant: string,
  roles: readonly string[] = [],
): Promise<readonly string[]> {
  const own = await Promise.all(ownRolesOf(roles).map((id) => deps.batches.rolePermissions({ tenant, id })))
  return own.length === 0 ? permissionsOf(roles) : [...new Set([...permissionsOf(roles), ...own.flatMap((each) => each ?? [])])].sort()
}
