import { type Insertable, type Selectable, sql } from 'kysely'
import type { Db } from './schema.ts'
import type { SuspicionsTable } from './suspicion-tables.ts'

export type SuspicionRow = Selectable<SuspicionsTable>

/** Notes that something is told; `false` where it was told a while ago and its time is not over. Of many at once, over all replicas, one gets `true`. */
export async function markTold(
  tx: Db,
  mark: { tenant: string; subject: string; kind: string; now: Date; untilTime: Date },
): Promise<boolean> {
  const { tenant, subject, kind, now, untilTime } = mark
  const row = await tx
    .insertInto('suspicion_marks')
    .values({ tenant, subject, kind, until_time: untilTime })
    .onConflict((conflict) =>
      conflict
        .columns(['tenant', 'subject', 'kind'])
        .doUpdateSet((eb) => ({ until_time: eb.ref('excluded.until_time') }))
        .where('suspicion_marks.until_time', '<=', now),
    )
    .returning('kind')
    .executeTakeFirst()
  return row !== undefined
}

export async function insertSuspicion(tx: Db, row: Insertable<SuspicionsTable>): Promise<void> {
  await tx.insertInto('suspicions').values(row).execute()
}

export async function findSuspicion(db: Db, key: { tenant: string; challengeId: string }): Promise<SuspicionRow | undefined> {
  return await db
    .selectFrom('suspicions')
    .select(['tenant', 'challenge_id', 'kinds', 'user_agent', 'network', 'happen_time'])
    .where('tenant', '=', key.tenant)
    .where('challenge_id', '=', key.challengeId)
    .executeTakeFirst()
}

/** Forgets what may be told again, at most `limit`; answers how many. */
export async function pruneSuspicionMarks(db: Db, untilBefore: Date, limit: number): Promise<number> {
  const pruned = await sql`
    delete from suspicion_marks where (tenant, subject, kind) in (
      select tenant, subject, kind from suspicion_marks where until_time < ${untilBefore} order by until_time
      limit ${limit}::integer for update skip locked)`.execute(db)
  return Number(pruned.numAffectedRows ?? 0n)
}

export async function deleteMarksOf(tx: Db, person: { tenant: string; userId: string }): Promise<void> {
  await tx.deleteFrom('suspicion_marks').where('tenant', '=', person.tenant).where('subject', '=', person.userId).execute()
}
