import { once, type Request, transact } from '@gatehouse/postgres'
import { v7 as uuidv7 } from 'uuid'
import { countRoles, findRole, insertRole, type RoleRow } from '../../store/roles.ts'
import { assertHolds, everywhere } from '../access/assert-holds.ts'
import { type AccessDeps, changing, type Granter } from '../access/change-access.ts'
import { assertDeclared } from '../access/check.ts'
import { tellRoleChanged } from '../access/events.ts'
import { assertRoom } from '../access/limits.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { builtInRole } from './built-in-roles.ts'

export interface CreateRoleInput {
  readonly tenant: string
  readonly granter: Granter
  readonly name: string
  readonly description: string
  readonly permissions: readonly string[]
  readonly request: Omit<Request, 'tenant'>
}

/** Makes a role of permissions that the granter holds. The same request again answers the role that it made, as it is now. */
export async function createRole(deps: AccessDeps, input: CreateRoleInput): Promise<RoleRow> {
  const { tenant, granter, name, description, request } = input
  for (const [at, permission] of input.permissions.entries()) assertDeclared(permission, `permissions[${at}]`)
  const permissions = [...new Set(input.permissions)].sort()
  const role = await transact(deps.db, async (tx) => {
    const { id } = await once(tx, { tenant, ...request }, async () => {
      const change = await changing(tx, tenant)
      if (builtInRole(name)) throw refuse(ErrorReason.ROLE_EXISTS)
      await assertHolds(change, granter, { permissions }, everywhere, deps.now())
      assertRoom('roles', await countRoles(tx, tenant))
      const made = await insertRole(tx, { tenant, id: uuidv7(), name, description, permissions, version: change.version })
      if (!made) throw refuse(ErrorReason.ROLE_EXISTS)
      await change.tell([{ kind: 'role', name }])
      await tellRoleChanged(change, name, 'role_create')
      return made.id
    })
    const found = await findRole(tx, { tenant, name })
    return found?.id === id ? found : undefined
  })
  // It was made by an earlier call, and deleted since.
  if (!role) throw refuse(ErrorReason.ROLE_NOT_FOUND, { role: name })
  deps.committed()
  await deps.accessChanged()
  return role
}
