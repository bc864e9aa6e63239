import type { Executor } from '@gatehouse/postgres'
import { sql } from 'kysely'

/** Longer than outboxes and streams keep an event, so that no replay can bring one that is forgotten. */
export const inboxDays = 30

/** Remembers an event in the handler's transaction; false when it was handled already. A twin that runs beside waits for the first. */
export async function rememberEvent(tx: Executor, consumer: string, tenant: string, eventId: string): Promise<boolean> {
  const { rows } = await sql`insert into inbox (tenant, event_id, consumer) values (${tenant}, ${eventId}, ${consumer})
    on conflict do nothing returning 1`.execute(tx)
  return rows.length > 0
}

/** Forgets events of more than 30 days ago, at most `limit`; gives how many. */
export async function pruneInbox(db: Executor, limit: number): Promise<number> {
  const { numAffectedRows = 0n } = await sql`delete from inbox where (tenant, event_id, consumer) in (
    select tenant, event_id, consumer from inbox where create_time < now() - make_interval(days => ${inboxDays}::integer)
    limit ${limit}::integer for update skip locked)`.execute(db)
  return Number(numAffectedRows)
}
