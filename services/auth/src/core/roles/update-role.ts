import { ErrorReason as CommonReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { commonRefusal } from '@gatehouse/rpc'
import { findRole, type RoleRow, updateRole as writeRole } from '../../store/roles.ts'
import { assertHolds, everywhere } from '../access/assert-holds.ts'
import { type AccessDeps, changeAccess, type Granter } from '../access/change-access.ts'
import { assertDeclared } from '../access/check.ts'
import { tellRoleChanged } from '../access/events.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { builtInRole } from './built-in-roles.ts'
import { etagOf } from './role-etag.ts'

export interface UpdateRoleInput {
  readonly tenant: string
  readonly granter: Granter
  readonly name: string
  /** Empty changes whatever the role is by now. */
  readonly etag: string
  readonly description?: string | undefined
  readonly permissions?: readonly string[] | undefined
}

/** Changes a role, for everybody who has it. Whoever adds to it has to hold what they add. */
export async function updateRole(deps: AccessDeps, input: UpdateRoleInput): Promise<RoleRow> {
  const { tenant, name, etag, description } = input
  for (const [at, permission] of (input.permissions ?? []).entries()) assertDeclared(permission, `permissions[${at}]`)
  if (builtInRole(name)) throw refuse(ErrorReason.ROLE_BUILT_IN, { role: name })
  return await changeAccess(deps, tenant, async (change) => {
    const role = await findRole(change.tx, { tenant, name })
    if (!role) throw refuse(ErrorReason.ROLE_NOT_FOUND, { role: name })
    if (etag !== '' && etag !== etagOf(role)) throw commonRefusal(CommonReason.ETAG_MISMATCH)
    const permissions = input.permissions === undefined ? role.permissions : [...new Set(input.permissions)].sort()
    const added = permissions.filter((permission) => !role.permissions.includes(permission))
    await assertHolds(change, input.granter, { permissions: added }, everywhere, deps.now())
    const changed = await writeRole(
      change.tx,
      { tenant, name },
      { description: description ?? role.description, permissions, version: change.version, update_time: new Date(deps.now()) },
    )
    await change.tell([{ kind: 'role', name }])
    await tellRoleChanged(change, name, 'role_update')
    return changed
  })
}
