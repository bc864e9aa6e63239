import type { SubjectKey } from '../batches.ts'
import type { Deps } from '../deps.ts'
import { declaredPermissions } from './declared-permissions.ts'

/** The role that may do everything that the contracts know. */
export const administrator = 'administrator'

/** What a person or service account may do, by the roles that are bound to it. */
export async function permissionsOf(deps: Pick<Deps, 'batches'>, subject: SubjectKey): Promise<readonly string[]> {
  const roles = await deps.batches.roles(subject)
  return roles?.includes(administrator) ? declaredPermissions : []
}
