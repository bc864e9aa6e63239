import { sql } from 'kysely'
import type { Db } from './schema.ts'
import type { AccountKey } from './service-accounts.ts'

const again = sql`on conflict (tenant, key_id) do update
  set version = api_key_changes.version + 1, change_time = clock_timestamp(), forget_time = excluded.forget_time`

/** Tells whoever remembers the key to forget what was. */
export async function insertKeyChange(tx: Db, { tenant, id }: AccountKey, forgetTime: Date): Promise<void> {
  await sql`insert into api_key_changes (tenant, key_id, forget_time) values (${tenant}, ${id}::uuid, ${forgetTime}::timestamptz) ${again}`.execute(
    tx,
  )
}

/** The same for every key of an account. */
export async function insertKeyChangesOfAccount(tx: Db, { tenant, id }: AccountKey, forgetTime: Date): Promise<void> {
  await sql`insert into api_key_changes (tenant, key_id, forget_time)
    select tenant, id, ${forgetTime}::timestamptz from api_keys where tenant = ${tenant} and account_id = ${id}::uuid ${again}`.execute(tx)
}
