import { isRoleBound } from '../../store/bindings.ts'
import { findRole, deleteRole as removeRole } from '../../store/roles.ts'
import { type AccessDeps, changeAccess } from '../access/change-access.ts'
import { tellRoleChanged } from '../access/events.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { builtInRole } from './built-in-roles.ts'

/** Deletes a role that nobody has. */
export async function deleteRole(deps: AccessDeps, { tenant, name }: { readonly tenant: string; readonly name: string }): Promise<void> {
  if (builtInRole(name)) throw refuse(ErrorReason.ROLE_BUILT_IN, { role: name })
  await changeAccess(deps, tenant, async (change) => {
    if (!(await findRole(change.tx, { tenant, name }))) throw refuse(ErrorReason.ROLE_NOT_FOUND, { role: name })
    if (await isRoleBound(change.tx, { tenant, role: name })) throw refuse(ErrorReason.ROLE_IN_USE)
    await removeRole(change.tx, { tenant, name })
    await change.tell([{ kind: 'role', name }])
    await tellRoleChanged(change, name, 'role_delete')
  })
}
