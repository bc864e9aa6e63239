import { decodePageToken, encodePageToken } from '@gatehouse/postgres'
import { findRole, type RoleRow, listRoles as readRoles } from '../../store/roles.ts'
import type { PageInput } from '../access/page.ts'
import type { Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { type BuiltInRole, builtInRole, builtInRoles } from './built-in-roles.ts'

export type ListedRole = BuiltInRole | RoleRow

const defaultSize = 50

/** A page of the roles: first the built-in ones, then the tenant's own by name. */
export async function listRoles(
  { db }: Pick<Deps, 'db'>,
  { tenant, pageSize, pageToken }: PageInput & { readonly tenant: string },
): Promise<{ roles: ListedRole[]; nextPageToken: string }> {
  const scope = JSON.stringify(['ListRoles', tenant])
  const size = pageSize || defaultSize
  const [kind = 'built-in', after = ''] = decodePageToken(scope, pageToken) ?? []
  const builtIn = kind === 'built-in' ? builtInRoles.slice(builtInRoles.findIndex(({ name }) => name === after) + 1) : []
  const rows =
    builtIn.length > size ? [] : await readRoles(db, { tenant, after: kind === 'own' ? after : '', limit: size + 1 - builtIn.length })
  const found: ListedRole[] = [...builtIn, ...rows]
  const roles = found.slice(0, size)
  const last = found.length > size ? roles.at(-1) : undefined
  return { roles, nextPageToken: last ? encodePageToken(scope, ['version' in last ? 'own' : 'built-in', last.name]) : '' }
}

export async function getRole({ db }: Pick<Deps, 'db'>, key: { readonly tenant: string; readonly name: string }): Promise<ListedRole> {
  const role = builtInRole(key.name) ?? (await findRole(db, key))
  if (!role) throw refuse(ErrorReason.ROLE_NOT_FOUND, { role: key.name })
  return role
}
