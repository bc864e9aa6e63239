import type { Db } from '@gatehouse/postgres'
import { type Selectable, sql } from 'kysely'
import type { PendingRevocationsTable, Schema } from './schema.ts'

export type PendingRevocation = Omit<Selectable<PendingRevocationsTable>, 'due_time'>

/** Asks for the end of a person's sessions; asking again starts over. */
export async function addPendingRevocation(tx: Db<Schema>, request: { tenant: string; user_id: string; version: bigint }): Promise<void> {
  await tx
    .insertInto('pending_revocations')
    .values(request)
    .onConflict((conflict) =>
      conflict
        .columns(['tenant', 'user_id'])
        .doUpdateSet({ version: request.version, attempts: 0, opened_until: null, due_time: sql`now()` }),
    )
    .execute()
}

/** The person is let back: what auth has not ended yet spares the sessions from now on. */
export async function spareLaterSessions(tx: Db<Schema>, key: { tenant: string; user_id: string }): Promise<void> {
  await tx
    .updateTable('pending_revocations')
    .set({ opened_until: sql`clock_timestamp()` })
    .where('tenant', '=', key.tenant)
    .where('user_id', '=', key.user_id)
    .execute()
}

/** Takes what is due, for `leaseMs`: until then no other replica takes it, and afterwards anyone may. */
export const takePendingRevocations = (
  db: Db<Schema>,
  { limit, leaseMs }: { limit: number; leaseMs: number },
): Promise<PendingRevocation[]> =>
  db
    .with('due', (cte) =>
      cte
        .selectFrom('pending_revocations')
        .select(['tenant', 'user_id'])
        .where('due_time', '<=', sql<Date>`now()`)
        .orderBy('due_time')
        .limit(limit)
        .forUpdate()
        .skipLocked(),
    )
    .updateTable('pending_revocations as pending')
    .from('due')
    .set({ attempts: sql`pending.attempts + 1`, due_time: later(leaseMs) })
    .whereRef('pending.tenant', '=', 'due.tenant')
    .whereRef('pending.user_id', '=', 'due.user_id')
    .returning(['pending.tenant', 'pending.user_id', 'pending.version', 'pending.attempts', 'pending.opened_until'])
    .execute()

/** Forgets one that auth has answered, unless a newer request has replaced it meanwhile. */
export async function deletePendingRevocation(db: Db<Schema>, { tenant, user_id, version }: PendingRevocation): Promise<void> {
  await db
    .deleteFrom('pending_revocations')
    .where('tenant', '=', tenant)
    .where('user_id', '=', user_id)
    .where('version', '=', version)
    .execute()
}

/** Gives back one that failed, to be taken after `delayMs`. */
export async function postponePendingRevocation(
  db: Db<Schema>,
  { tenant, user_id, version }: PendingRevocation,
  delayMs: number,
): Promise<void> {
  await db
    .updateTable('pending_revocations')
    .set({ due_time: later(delayMs) })
    .where('tenant', '=', tenant)
    .where('user_id', '=', user_id)
    .where('version', '=', version)
    .execute()
}

const later = (milliseconds: number) => sql<Date>`now() + ${milliseconds} * interval '1 millisecond'`
