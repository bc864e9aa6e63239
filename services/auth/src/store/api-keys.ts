import { sql } from 'kysely'
import { rolesOf } from './role-bindings.ts'
import type { Db } from './schema.ts'
import type { AccountKey } from './service-accounts.ts'

export interface ApiKeyRow {
  readonly tenant: string
  readonly id: string
  readonly account_id: string
  readonly name: string
  readonly scopes: readonly string[]
  readonly limit_count: number | null
  readonly limit_window_seconds: number | null
  readonly create_time: Date
  /** A bigint, which the driver answers as text. */
  readonly lifetime_seconds: number | string
  readonly expire_time: Date
  readonly last_use_time: Date | null
  readonly revoke_time: Date | null
}

const columns = [
  'tenant',
  'id',
  'account_id',
  'name',
  'scopes',
  'limit_count',
  'limit_window_seconds',
  'create_time',
  'lifetime_seconds',
  'expire_time',
  'last_use_time',
  'revoke_time',
] as const

export interface NewApiKeyRow {
  readonly tenant: string
  readonly id: string
  readonly account_id: string
  readonly name: string
  readonly key_hash: Uint8Array
  readonly scopes: string[]
  readonly limit_count: number | null
  readonly limit_window_seconds: number | null
  readonly create_time: Date
  readonly lifetime_seconds: number
  readonly expire_time: Date
}

export async function insertApiKey(tx: Db, row: NewApiKeyRow): Promise<ApiKeyRow> {
  return await tx.insertInto('api_keys').values(row).returning(columns).executeTakeFirstOrThrow()
}

/** How many keys of the account are good at that time. */
export async function countLivingKeys(tx: Db, { tenant, id }: AccountKey, now: Date): Promise<number> {
  const { count } = await tx
    .selectFrom('api_keys')
    .select(sql<number>`count(*)::integer`.as('count'))
    .where('tenant', '=', tenant)
    .where('account_id', '=', id)
    .where('expire_time', '>', now)
    .where('revoke_time', 'is', null)
    .executeTakeFirstOrThrow()
  return count
}

export async function findApiKey(db: Db, { tenant, id }: AccountKey): Promise<ApiKeyRow | undefined> {
  return await db.selectFrom('api_keys').select(columns).where('tenant', '=', tenant).where('id', '=', id).executeTakeFirst()
}

/** By their ids, from behind `after`. */
export async function listApiKeys(
  db: Db,
  which: { tenant: string; accountId: string; after: string; limit: number },
): Promise<ApiKeyRow[]> {
  return await db
    .selectFrom('api_keys')
    .select(columns)
    .where('tenant', '=', which.tenant)
    .where('account_id', '=', which.accountId)
    .$if(which.after !== '', (query) => query.where('id', '>', which.after))
    .orderBy('id')
    .limit(which.limit)
    .execute()
}

/** Answers the key as it is then; undefined where there is none that is still good at `now`. */
export async function endApiKey(
  tx: Db,
  { tenant, id }: AccountKey,
  end: { now: Date; expireTime: Date } | { revokeTime: Date },
): Promise<ApiKeyRow | undefined> {
  const ending = tx.updateTable('api_keys').where('tenant', '=', tenant).where('id', '=', id).where('revoke_time', 'is', null)
  if ('revokeTime' in end) return await ending.set({ revoke_time: end.revokeTime }).returning(columns).executeTakeFirst()
  return await ending
    .set({ expire_time: sql<Date>`least(expire_time, ${end.expireTime}::timestamptz)` })
    .where('expire_time', '>', end.now)
    .returning(columns)
    .executeTakeFirst()
}

export async function deleteKeysOfAccount(tx: Db, { tenant, id }: AccountKey): Promise<void> {
  await tx.deleteFrom('api_keys').where('tenant', '=', tenant).where('account_id', '=', id).execute()
}

/** A key with its account and the roles that are bound to it. */
export interface ApiKeyInUse extends ApiKeyRow {
  readonly key_hash: Uint8Array
  readonly account_name: string
  readonly disable_time: Date | null
  readonly roles: readonly string[]
}

/** The id alone says of which tenant the key is. */
export async function findApiKeyInUse(db: Db, id: string): Promise<ApiKeyInUse | undefined> {
  return await db
    .selectFrom('api_keys as k')
    .innerJoin('service_accounts as a', (join) => join.onRef('a.tenant', '=', 'k.tenant').onRef('a.id', '=', 'k.account_id'))
    .select(columns.map((column) => `k.${column}` as const))
    .select(['k.key_hash', 'a.name as account_name', 'a.disable_time', rolesOf('k.tenant', 'k.account_id').as('roles')])
    .where('k.id', '=', id)
    .executeTakeFirst()
}

/** To the minute: a key in use is written once a minute, however many verifiers ask. */
export async function noteUse(db: Db, { tenant, id }: AccountKey, minute: Date): Promise<void> {
  await sql`update api_keys set last_use_time = ${minute}::timestamptz
    where id = ${id} and tenant = ${tenant} and (last_use_time is null or last_use_time < ${minute}::timestamptz)`.execute(db)
}
