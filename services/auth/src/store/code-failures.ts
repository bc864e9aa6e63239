import { sql } from 'kysely'
import type { Db } from './schema.ts'

interface Key {
  readonly tenant: string
  readonly addressHash: Uint8Array
  readonly day: number
}

/** Locks the counter of an address and a day until the transaction ends, and reads it. */
export async function lockCodeFailures(tx: Db, key: Key): Promise<number> {
  const row = await tx
    .insertInto('code_failures')
    .values({ tenant: key.tenant, address_hash: key.addressHash, day: key.day, wrong_codes: 0 })
    .onConflict((conflict) =>
      conflict.columns(['tenant', 'address_hash', 'day']).doUpdateSet((eb) => ({ wrong_codes: eb.ref('code_failures.wrong_codes') })),
    )
    .returning('wrong_codes')
    .executeTakeFirstOrThrow()
  return row.wrong_codes
}

export async function countCodeFailure(tx: Db, key: Key): Promise<void> {
  await tx
    .updateTable('code_failures')
    .set((eb) => ({ wrong_codes: eb('wrong_codes', '+', 1) }))
    .where('tenant', '=', key.tenant)
    .where('address_hash', '=', key.addressHash)
    .where('day', '=', key.day)
    .execute()
}

/** Forgets counters of days before `day`, at most `limit`; answers how many. */
export async function deleteCodeFailures(db: Db, before: { day: number; limit: number }): Promise<number> {
  const { numAffectedRows = 0n } = await sql`
    delete from code_failures where (tenant, address_hash, day) in (
      select tenant, address_hash, day from code_failures where day < ${before.day}
      order by day limit ${before.limit}::integer for update skip locked)`.execute(db)
  return Number(numAffectedRows)
}
