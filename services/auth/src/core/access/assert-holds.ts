import { administratorRole } from '@gatehouse/identity'
import { type BindingRow, listBindingsOf } from '../../store/bindings.ts'
import { listGroupIdsOf } from '../../store/groups.ts'
import { findRoles } from '../../store/roles.ts'
import type { Db } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { builtInRole } from '../roles/built-in-roles.ts'
import { ownRolesOf } from '../roles/permissions-of.ts'
import type { Changing, Granter } from './change-access.ts'

/** What is to be given: a role, or permissions. The administrator's is more than all that is declared today. */
export type Given = { readonly role: string } | { readonly permissions: readonly string[] }

/** Where and for how long it is to be given. */
export interface Scope {
  /** Empty for everything. */
  readonly resource: string
  /** Null for ever. */
  readonly expireTime: Date | null
}

export const everywhere: Scope = { resource: '', expireTime: null }

/**
 * Refuses to give what the granter does not hold: by bindings without a condition, on everything or on just that resource, that last as long. Read in the
 * transaction that gives, when nobody else changes anything in the tenant: what is held then is held at the commit.
 */
export async function assertHolds(change: Changing, granter: Granter, given: Given, scope: Scope, now: number): Promise<void> {
  const permission = await firstNotHeld(change, granter, given, scope, now)
  if (permission !== undefined) throw refuse(ErrorReason.NOT_YOURS_TO_GRANT, { permission })
}

/**
 * Refuses to weaken how somebody signs in who may do more than whoever asks for it, whenever and on whatever they may: the permission to take a factor away would be a step to
 * theirs. Roles that somebody gets meanwhile are not waited for.
 */
export async function assertHoldsAllOf(at: Transaction, caller: Granter, userId: string, now: number): Promise<void> {
  const bindings = (await bindingsOf(at.tx, at.tenant, userId)).filter((row) => row.expire_time === null || row.expire_time.getTime() > now)
  for (const role of [...new Set(bindings.map((row) => row.role))].sort()) {
    const permission = await firstNotHeld(at, caller, { role }, everywhere, now)
    if (permission !== undefined) throw refuse(ErrorReason.PERSON_HOLDS_MORE, { permission })
  }
}

type Transaction = Pick<Changing, 'tx' | 'tenant'>

async function firstNotHeld(
  { tx, tenant }: Transaction,
  granter: Granter,
  given: Given,
  scope: Scope,
  now: number,
): Promise<string | undefined> {
  if (granter === 'operator') return undefined
  const bindings = await bindingsOf(tx, tenant, granter.id)
  const counting = bindings.filter((row) => counts(row, scope, now))
  const isAdministrator = counting.some(({ role }) => role === administratorRole) && granter.scopes === undefined
  if (isAdministrator) return undefined
  if ('role' in given && given.role === administratorRole) return administratorRole
  const held = await permissionsOfRoles(
    tx,
    tenant,
    counting.map(({ role }) => role),
  )
  const wanted = 'role' in given ? await permissionsOfRoles(tx, tenant, [given.role]) : new Set(given.permissions)
  return [...wanted].sort().find((permission) => !held.has(permission) || granter.scopes?.has(permission) === false)
}

async function bindingsOf(tx: Db, tenant: string, id: string): Promise<BindingRow[]> {
  return await listBindingsOf(tx, tenant, [id, ...(await listGroupIdsOf(tx, { tenant, memberId: id }))])
}

function counts(row: BindingRow, { resource, expireTime }: Scope, now: number): boolean {
  if (row.condition !== '') return false
  if (row.resource !== '' && row.resource !== resource) return false
  if (row.expire_time === null) return true
  return row.expire_time.getTime() > now && expireTime !== null && expireTime <= row.expire_time
}

/** Everything that these roles allow today. */
export async function permissionsOfRoles(db: Db, tenant: string, roles: readonly string[]): Promise<ReadonlySet<string>> {
  const own = ownRolesOf(roles)
  const rows = own.length === 0 ? [] : await findRoles(db, tenant, own)
  return new Set([...roles.flatMap((role) => builtInRole(role)?.permissions ?? []), ...rows.flatMap((row) => row.permissions)])
}
