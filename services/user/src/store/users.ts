import { type BatchedRead, batched, compiledOnce, type Db, isUniqueViolation, type Value } from '@gatehouse/postgres'
import { type Selectable, sql, type Updateable } from 'kysely'
import type { Limit } from './limit.ts'
import type { Schema, UsersTable } from './schema.ts'

/** A person as they are read; the keys are for the indexes alone. */
export type UserRow = Omit<Selectable<UsersTable>, 'email_key' | 'name_key'>
export type UserKey = Pick<UserRow, 'tenant' | 'id'>
export type NewUser = Pick<Selectable<UsersTable>, 'tenant' | 'id' | 'state' | 'email_verified' | 'name' | 'name_key' | 'locale'> & {
  email: string
  email_key: string
}
export type UserChanges = Pick<
  Updateable<UsersTable>,
  'state' | 'email' | 'email_key' | 'email_verified' | 'name' | 'name_key' | 'locale' | 'time_zone'
>

export const columns = [
  'tenant',
  'id',
  'version',
  'state',
  'email',
  'email_verified',
  'name',
  'locale',
  'time_zone',
  'create_time',
  'update_time',
] as const satisfies (keyof UsersTable)[]

/** Undefined when the id or the address is somebody's; a rival's uncommitted insert is waited for. */
export const insertUser = (db: Db<Schema>, user: NewUser): Promise<UserRow | undefined> =>
  db
    .insertInto('users')
    .values(user)
    .onConflict((conflict) => conflict.doNothing())
    .returning(columns)
    .executeTakeFirst()

export const findUser = (db: Db<Schema>, { tenant, id }: UserKey): Promise<UserRow | undefined> =>
  db.selectFrom('users').select(columns).where('tenant', '=', tenant).where('id', '=', id).executeTakeFirst()

export const findUserByEmailKey = (db: Db<Schema>, tenant: string, emailKey: string): Promise<UserRow | undefined> =>
  db.selectFrom('users').select(columns).where('tenant', '=', tenant).where('email_key', '=', emailKey).executeTakeFirst()

/** Those who exist, in no order. */
export async function findUsers(db: Db<Schema>, keys: readonly UserKey[]): Promise<UserRow[]> {
  const tenants = keys.map(({ tenant }) => tenant)
  const ids = keys.map(({ id }) => id)
  const tenant = tenants[0]
  if (tenant === undefined) return []
  // Both texts are the same for any number of keys, so both are prepared; the plain one is almost twice as fast.
  return tenants.every((each) => each === tenant) ? findInTenant(db, { tenant, ids }) : findAnywhere(db, { tenants, ids })
}

const findInTenant = compiledOnce((db: Db<Schema>, value: Value<{ tenant: string; ids: readonly string[] }>) =>
  db
    .selectFrom('users')
    .select(columns)
    .where(
      'tenant',
      '=',
      value(({ tenant }) => tenant),
    )
    .where(sql<boolean>`id = any(${value(({ ids }) => ids)})`),
)

const findAnywhere = compiledOnce((db: Db<Schema>, value: Value<{ tenants: readonly string[]; ids: readonly string[] }>) =>
  db
    .selectFrom('users')
    .select(columns)
    .where(
      sql<boolean>`(tenant, id) in (select * from unnest(${value(({ tenants }) => tenants)}::text[], ${value(({ ids }) => ids)}::uuid[]))`,
    ),
)

/** Reads one person at a time, as far as the caller sees; what comes in one turn of the event loop goes out as one statement. */
export const userLoader = (db: Db<Schema>): BatchedRead<UserKey, UserRow> =>
  batched(async (keys) => new Map((await findUsers(db, keys)).map((row) => [keyOf(row), row])), { keyOf })

export const keyOf = ({ tenant, id }: UserKey): string => `${tenant} ${id}`

/** Reads a person whom nobody else changes until the transaction ends. */
export const lockUser = (tx: Db<Schema>, { tenant, id }: UserKey): Promise<UserRow | undefined> =>
  tx.selectFrom('users').select(columns).where('tenant', '=', tenant).where('id', '=', id).forUpdate().executeTakeFirst()

/** Changes a locked person and counts the version; `email_taken` leaves the transaction failed. */
export async function updateUser(tx: Db<Schema>, { tenant, id }: UserKey, changes: UserChanges): Promise<UserRow | 'email_taken'> {
  try {
    return await tx
      .updateTable('users')
      .set(changes)
      // now() is when the transaction began, which can be before the change that it waited for.
      .set({ version: sql`version + 1`, update_time: sql`greatest(update_time, clock_timestamp())` })
      .where('tenant', '=', tenant)
      .where('id', '=', id)
      .returning(columns)
      .executeTakeFirstOrThrow()
  } catch (error) {
    if (isUniqueViolation(error, 'users_email_key')) return 'email_taken'
    throw error
  }
}

export type ListPage = { tenant: string; newestFirst: boolean; after?: Pick<UserRow, 'create_time' | 'id'> | undefined; limit: Limit }

/** People who are not deleted, in the order of their creation. */
export const listUsers = (db: Db<Schema>, { tenant, newestFirst, after, limit }: ListPage): Promise<UserRow[]> => {
  const direction = newestFirst ? 'desc' : 'asc'
  let query = db.selectFrom('users').select(columns).where('tenant', '=', tenant).where('state', '<>', 'deleted')
  if (after)
    query = query.where(
      newestFirst
        ? sql<boolean>`(create_time, id) < (${after.create_time}, ${after.id})`
        : sql<boolean>`(create_time, id) > (${after.create_time}, ${after.id})`,
    )
  return query
    .orderBy('create_time', direction)
    .orderBy('id', direction)
    .limit(sql.raw<number>(String(limit)))
    .execute()
}
