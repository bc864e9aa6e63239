import { permissionsOfRoles } from '../access/assert-holds.ts'
import type { Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { declaredPermissions } from '../roles/declared-permissions.ts'

/** Who gives a key its scopes, or lets a workload in. Whoever holds the database's credentials gives everything. */
export type Giver = 'operator' | { readonly tenant: string; readonly id: string; readonly scopes?: ReadonlySet<string> | undefined }

/**
 * Refuses scopes that are no permissions, and those that the giver does not hold at this moment: by what is bound, not by a token of minutes ago, and
 * within the giver's own key, where it called with one.
 */
export async function checkScopes(deps: Pick<Deps, 'db' | 'batches'>, giver: Giver, scopes: readonly string[]): Promise<void> {
  for (const scope of scopes) if (!declaredPermissions.includes(scope)) throw refuse(ErrorReason.SCOPE_UNKNOWN, { scope })
  if (giver === 'operator') return
  const { tenant, id } = giver
  const held = await permissionsOfRoles(deps.db, tenant, (await deps.batches.roles({ tenant, id })) ?? [])
  for (const scope of scopes)
    if (!held.has(scope) || giver.scopes?.has(scope) === false) throw refuse(ErrorReason.SCOPE_NOT_HELD, { scope })
}
