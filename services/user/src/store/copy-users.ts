import { copyRows, type Db } from '@gatehouse/postgres'
import { type Selectable, sql } from 'kysely'
import type { Schema, UsersTable } from './schema.ts'
import type { NewUser } from './users.ts'

const columns = [
  'tenant',
  'id',
  'state',
  'email',
  'email_key',
  'email_verified',
  'name',
  'name_key',
  'locale',
] as const satisfies (keyof NewUser)[]

/** Inserts many people at once; a unique violation when one id or address is somebody's. */
export const copyUsers = (tx: Db<Schema>, users: readonly NewUser[]): Promise<number> =>
  copyRows(tx, { table: 'users', columns }, rowsOf(users))

function* rowsOf(users: readonly NewUser[]) {
  for (const user of users)
    yield [user.tenant, user.id, user.state, user.email, user.email_key, user.email_verified, user.name, user.name_key, user.locale]
}

export type Known = Readonly<Pick<Selectable<UsersTable>, 'id' | 'email_key' | 'name' | 'version'>>

/** Those of a tenant, deleted ones included, who have one of the ids or one of the addresses. */
export async function findKnown(
  db: Db<Schema>,
  tenant: string,
  users: readonly Pick<NewUser, 'id' | 'email_key'>[],
): Promise<readonly Known[]> {
  // Two index lookups each; an `or` of the two would be planned worse.
  const byId = await db
    .selectFrom('users')
    .select(['id', 'email_key', 'name', 'version'])
    .where('tenant', '=', tenant)
    .where(sql<boolean>`id = any(${users.map(({ id }) => id)}::uuid[])`)
    .execute()
  const byAddress = await db
    .selectFrom('users')
    .select(['id', 'email_key', 'name', 'version'])
    .where('tenant', '=', tenant)
    .where(sql<boolean>`email_key = any(${users.map(({ email_key }) => email_key)}::text[])`)
    .execute()
  return [...byId, ...byAddress]
}
