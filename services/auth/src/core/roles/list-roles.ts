import { decodePageToken, encodePageToken } from '@gatehouse/postgres'
import { findRole, type RoleRow, listRoles as readRoles } from '../../store/roles.ts'
import type { PageInput } from '../access/page.ts'
import type { Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { type BuiltInRole, builtInRole, builtInRoles } from './built-in-roles.ts'

export type ListedRole = BuiltInRole | RoleRow

const defaultSize = 50

/** A page of the roles: the built-in ones on top of the first, then the tenant's own by name. */
export async function listRoles(
  { db }: Pick<Deps, 'db'>,
  { tenant, pageSize, pageToken }: PageInput & { readonly tenant: string },
): Promise<{ roles: ListedRole[]; nextPageToken: string }> {
  const scope = JSON.stringify(['ListRoles', tenant])
  const size = pageSize || defaultSize
  const [after] = decodePageToken(scope, pageToken) ?? []
  // The built-in ones are on no page's account: they are three.
  const rows = await readRoles(db, { tenant, after: after ?? '', limit: size + 1 })
  const own = rows.slice(0, size)
  const last = rows.length > size ? own.at(-1) : undefined
  return {
    roles: after === undefined ? [...builtInRoles, ...own] : own,
    nextPageToken: last ? encodePageToken(scope, [last.name]) : '',
  }
}

export async function getRole({ db }: Pick<Deps, 'db'>, key: { readonly tenant: string; readonly name: string }): Promise<ListedRole> {
  const role = builtInRole(key.name) ?? (await findRole(db, key))
  if (!role) throw refuse(ErrorReason.ROLE_NOT_FOUND, { role: key.name })
  return role
}
