import type { Executor } from '@gatehouse/postgres'
import { sql } from 'kysely'
import type { Envelope } from './envelope.ts'

/** Longer than outboxes and streams keep an event, so that no replay can bring one that is forgotten. */
export const inboxDays = 30

/** Remembers an event in the handler's transaction; false when it was handled already. A twin that runs beside waits for the first. */
export async function rememberEvent(tx: Executor, consumer: string, tenant: string, eventId: string): Promise<boolean> {
  const { rows } = await sql`insert into inbox (tenant, event_id, consumer) values (${tenant}, ${eventId}, ${consumer})
    on conflict do nothing returning 1`.execute(tx)
  return rows.length > 0
}

/** Remembers events in their handlers' transaction, with one statement; gives those that were not handled before, each once. */
export async function rememberEvents(tx: Executor, consumer: string, envelopes: readonly Envelope[]): Promise<ReadonlySet<Envelope>> {
  const [only] = envelopes
  if (only !== undefined && envelopes.length === 1) return new Set((await rememberEvent(tx, consumer, only.tenant, only.id)) ? [only] : [])
  // In one order, because twins that run beside wait for each other's rows.
  const { rows } = await sql<{ place: string }>`insert into inbox (tenant, event_id, consumer)
    select tenant, id, ${consumer} from unnest(${envelopes.map(({ tenant }) => tenant)}::text[], ${envelopes.map(({ id }) => id)}::text[]) as event (tenant, id)
    order by id, tenant
    on conflict do nothing returning tenant || ' ' || event_id as place`.execute(tx)
  const places = new Set(rows.map(({ place }) => place))
  return new Set(envelopes.filter(({ tenant, id }) => places.delete(`${tenant} ${id}`)))
}

/** Takes back what the same transaction remembered. */
export async function forgetEvents(tx: Executor, consumer: string, envelopes: readonly Envelope[]): Promise<void> {
  await sql`delete from inbox where consumer = ${consumer} and (tenant, event_id) in (
    select * from unnest(${envelopes.map(({ tenant }) => tenant)}::text[], ${envelopes.map(({ id }) => id)}::text[]))`.execute(tx)
}

/** Forgets events of more than 30 days ago, the oldest first, at most `limit`; gives how many. */
export async function pruneInbox(db: Executor, limit: number): Promise<number> {
  const { numAffectedRows = 0n } = await sql`delete from inbox where (tenant, event_id, consumer) in (
    select tenant, event_id, consumer from inbox where create_time < now() - make_interval(days => ${inboxDays}::integer)
    order by create_time limit ${limit}::integer for update skip locked)`.execute(db)
  return Number(numAffectedRows)
}
