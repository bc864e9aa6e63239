import { type Insertable, type Selectable, sql } from 'kysely'
import type { AuditCheckpointsTable, AuditKeysTable } from './audit-tables.ts'
import type { Db } from './schema.ts'

export type CheckpointRow = Selectable<AuditCheckpointsTable>
export type AuditKeyRow = Selectable<AuditKeysTable>

const keyColumns = ['tenant', 'kid', 'public_jwk', 'private_key', 'create_time'] as const

/** All keys that ever signed checkpoints of the tenant, the newest last. */
export async function listAuditKeys(db: Db, tenant: string): Promise<AuditKeyRow[]> {
  return await db.selectFrom('audit_keys').select(keyColumns).where('tenant', '=', tenant).orderBy('create_time').orderBy('kid').execute()
}

export async function insertAuditKey(tx: Db, row: Insertable<AuditKeysTable>): Promise<void> {
  await tx.insertInto('audit_keys').values(row).execute()
}

export async function replaceSealedAuditKey(tx: Db, key: { tenant: string; kid: string }, box: Uint8Array): Promise<void> {
  await tx.updateTable('audit_keys').set({ private_key: box }).where('tenant', '=', key.tenant).where('kid', '=', key.kid).execute()
}

/** A checkpoint of a place that has one already is not written. */
export async function insertCheckpoint(tx: Db, row: Insertable<AuditCheckpointsTable>): Promise<void> {
  await tx
    .insertInto('audit_checkpoints')
    .values(row)
    .onConflict((conflict) => conflict.columns(['tenant', 'position']).doNothing())
    .execute()
}

/** The latest first. */
export async function listCheckpoints(
  db: Db,
  { tenant, before, limit }: { tenant: string; before?: bigint; limit: number },
): Promise<CheckpointRow[]> {
  let query = db.selectFrom('audit_checkpoints').select(['tenant', 'position', 'time', 'jws']).where('tenant', '=', tenant)
  if (before !== undefined) query = query.where('position', '<', before)
  return await query.orderBy('position', 'desc').limit(limit).execute()
}

/** Those of a range, the first place first; they are one a day. */
export async function checkpointsBetween(
  db: Db,
  { tenant, after, upTo, limit }: { tenant: string; after: bigint; upTo?: bigint; limit: number },
): Promise<CheckpointRow[]> {
  let query = db.selectFrom('audit_checkpoints').select(['tenant', 'position', 'time', 'jws']).where('tenant', '=', tenant)
  query = query.where('position', '>', after)
  if (upTo !== undefined) query = query.where('position', '<=', upTo)
  return await query.orderBy('position').limit(limit).execute()
}

/** Tenants whose chain has grown since a checkpoint that is older than `before`, or that have none. */
export async function tenantsToCheckpoint(db: Db, before: Date): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select tenants.id from tenants
    cross join lateral (select position from audit_seals where tenant = tenants.id order by position desc limit 1) seal
    left join lateral (select position, time from audit_checkpoints where tenant = tenants.id order by position desc limit 1) checkpoint on true
    where checkpoint.position is null or (checkpoint.position < seal.position and checkpoint.time < ${before})
    order by tenants.id`.execute(db)
  return rows.map(({ id }) => id)
}

/**
 * Removes entries up to a checkpoint, and the seals before it: the seal of the checkpoint is where the chain begins then. The service's own role may not,
 * so this is for another one. Answers how many entries went.
 */
export async function pruneEntries(db: Db, { tenant, upTo, limit }: { tenant: string; upTo: bigint; limit: number }): Promise<number> {
  const { rows } = await sql<{ removed: bigint }>`
    with piece as materialized (
      select position, entry_id from audit_seals where tenant = ${tenant} and position <= ${upTo} order by position limit ${limit}::integer),
    removed as (
      delete from audit_entries using piece where audit_entries.tenant = ${tenant} and audit_entries.id = piece.entry_id returning 1),
    seals as (
      delete from audit_seals using piece where audit_seals.tenant = ${tenant} and audit_seals.position = piece.position and piece.position < ${upTo}
      returning 1)
    select count(*) as removed from removed`.execute(db)
  return Number(rows[0]?.removed ?? 0)
}
