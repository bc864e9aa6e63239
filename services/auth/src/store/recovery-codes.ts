import { sql } from 'kysely'
import type { Db } from './schema.ts'

interface Person {
  readonly tenant: string
  readonly userId: string
}

/** Puts codes in the place of those before. */
export async function replaceRecoveryCodes(tx: Db, row: Person & { hashes: readonly Uint8Array[]; time: Date }): Promise<void> {
  await deleteRecoveryCodes(tx, row)
  await sql`
    insert into recovery_codes (tenant, user_id, code_hash, create_time)
    select ${row.tenant}, ${row.userId}::uuid, hash, ${row.time} from unnest(${row.hashes}::bytea[]) hash`.execute(tx)
}

/** Uses a code up: of many at once exactly one gets `true`. */
export async function takeRecoveryCode(tx: Db, key: Person & { hash: Uint8Array }): Promise<boolean> {
  const taken = await tx
    .deleteFrom('recovery_codes')
    .where('tenant', '=', key.tenant)
    .where('user_id', '=', key.userId)
    .where('code_hash', '=', key.hash)
    .returning('user_id')
    .executeTakeFirst()
  return taken !== undefined
}

export async function hasRecoveryCode(db: Db, key: Person & { hash: Uint8Array }): Promise<boolean> {
  const found = await db
    .selectFrom('recovery_codes')
    .select('user_id')
    .where('tenant', '=', key.tenant)
    .where('user_id', '=', key.userId)
    .where('code_hash', '=', key.hash)
    .executeTakeFirst()
  return found !== undefined
}

export async function deleteRecoveryCodes(tx: Db, key: Person): Promise<void> {
  await tx.deleteFrom('recovery_codes').where('tenant', '=', key.tenant).where('user_id', '=', key.userId).execute()
}
