import { sql } from 'kysely'
import type { Db } from '../schema.ts'
import type { NewRecord, RecordKey } from './records.ts'

/** Each is one statement whose condition Postgres checks on the row as it is once it holds it: of any number at once, on any replica, one is answered true. */

export async function consumeRecord(db: Db, { tenant, hash, kind }: RecordKey, now: Date): Promise<boolean> {
  const used = await db
    .updateTable('oidc_records')
    .set({ consume_time: now })
    .where('tenant', '=', tenant)
    .where('id_hash', '=', hash)
    .where('kind', '=', kind)
    .where('consume_time', 'is', null)
    .where('expire_time', '>', now)
    .returning('kind')
    .executeTakeFirst()
  return used !== undefined
}

/** The grant of a record that was used up; undefined of one that was not. */
export async function findConsumed(db: Db, { tenant, hash, kind }: RecordKey): Promise<{ grant_id: string | null } | undefined> {
  return await db
    .selectFrom('oidc_records')
    .select('grant_id')
    .where('tenant', '=', tenant)
    .where('id_hash', '=', hash)
    .where('kind', '=', kind)
    .where('consume_time', 'is not', null)
    .executeTakeFirst()
}

export interface RecordRotation {
  readonly tenant: string
  readonly hash: Uint8Array
  readonly successorHash: Uint8Array
  /** Of the refresh key that the successor is derived with. */
  readonly keyVersion: number
  readonly now: Date
}

/**
 * Uses a refresh token up under a grant that goes on. The grant is locked first, as wherever one is ended: whoever waited sees it as it is by then.
 */
export async function rotateRecord(db: Db, { tenant, hash, successorHash, keyVersion, now }: RecordRotation): Promise<boolean> {
  const rotated = await sql`
    with going_on as materialized (
      select g.id from oidc_records r join oidc_grants g on g.tenant = r.tenant and g.id = r.grant_id
      where r.tenant = ${tenant} and r.id_hash = ${hash} and r.kind = 'RefreshToken' and g.end_time is null and g.expire_time > ${now}
      for update of g),
    used_up as (
      update oidc_records r set consume_time = ${now}, key_version = ${keyVersion}::integer, successor_hash = ${successorHash}::bytea
      from going_on where r.tenant = ${tenant} and r.id_hash = ${hash} and r.grant_id = going_on.id
        and r.consume_time is null and r.expire_time > ${now}
      returning r.grant_id)
    update oidc_grants g set last_use_time = ${now} from used_up where g.tenant = ${tenant} and g.id = used_up.grant_id`.execute(db)
  return rotated.numAffectedRows === 1n
}

/** A device code goes from open to in hand, or to decided, and never back. */
export async function approveDeviceCode(
  db: Db,
  record: Pick<NewRecord, 'tenant' | 'id_hash' | 'payload' | 'grant_id' | 'session_id'>,
  step: { readonly to: 1 | 2; readonly now: Date },
): Promise<boolean> {
  const stepped = await db
    .updateTable('oidc_records')
    .set({ payload: record.payload, grant_id: record.grant_id, session_id: record.session_id, approve_state: step.to })
    .where('tenant', '=', record.tenant)
    .where('id_hash', '=', record.id_hash)
    .where('kind', '=', 'DeviceCode')
    .where('consume_time', 'is', null)
    .where('expire_time', '>', step.now)
    .where('approve_state', '<', step.to)
    .returning('kind')
    .executeTakeFirst()
  return stepped !== undefined
}

/** Whether nobody asked for this device code within the interval. */
export async function notePoll(db: Db, key: { tenant: string; hash: Uint8Array; now: Date; notSince: Date }): Promise<boolean> {
  const noted = await db
    .updateTable('oidc_records')
    .set({ poll_time: key.now })
    .where('tenant', '=', key.tenant)
    .where('id_hash', '=', key.hash)
    .where('kind', '=', 'DeviceCode')
    .where((eb) => eb.or([eb('poll_time', 'is', null), eb('poll_time', '<=', key.notSince)]))
    .returning('kind')
    .executeTakeFirst()
  return noted !== undefined
}

export async function recordExists(db: Db, { tenant, hash, kind }: RecordKey): Promise<boolean> {
  const row = await db
    .selectFrom('oidc_records')
    .select('kind')
    .where('tenant', '=', tenant)
    .where('id_hash', '=', hash)
    .where('kind', '=', kind)
    .executeTakeFirst()
  return row !== undefined
}

/** Remembers a proof until it has expired by itself; false where it is remembered already. */
export async function addReplay(db: Db, row: { tenant: string; key_hash: Uint8Array; expire_time: Date; now: Date }): Promise<boolean> {
  const added = await db
    .insertInto('oidc_replays')
    .values({ tenant: row.tenant, key_hash: row.key_hash, expire_time: row.expire_time })
    .onConflict((conflict) =>
      conflict
        .columns(['tenant', 'key_hash'])
        .doUpdateSet({ expire_time: row.expire_time })
        .where('oidc_replays.expire_time', '<', row.now),
    )
    .returning('tenant')
    .executeTakeFirst()
  return added !== undefined
}
