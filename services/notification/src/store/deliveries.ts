import type { Db } from '@gatehouse/postgres'
import { sql } from 'kysely'
import type { DeliveryState, MailData, Schema } from './schema.ts'

/** A delivery in a worker's hands. */
export interface ClaimedDelivery {
  readonly tenant: string
  readonly id: string
  readonly notificationId: string
  readonly template: string
  readonly userId: string | null
  readonly challengeId: string | null
  readonly urgent: boolean
  readonly data: MailData | null
  /** This one included. */
  readonly attempts: number
  readonly postponements: number
  readonly claim: number
  readonly version: number
  /** How long ago it was due for the first time. */
  readonly ageSeconds: number
  /** Of what caused it. */
  readonly traceparent: string | null
}

/**
 * Takes up to `limit` deliveries that are due, or whose worker's lease has ended, for `leaseSeconds`. One statement; what another worker is
 * taking at the same moment is passed over. The database's clock rules, so that replicas agree on leases. The limit stands in the text: a plan for any
 * limit expects a tenth of all that waits, and reads the whole table for the few that it takes.
 */
export async function claimDeliveries(
  db: Db<Schema>,
  { urgent, limit, leaseSeconds }: { urgent: boolean; limit: number; leaseSeconds: number },
): Promise<ClaimedDelivery[]> {
  const { rows } = await sql<ClaimedDelivery>`
    with taken as materialized (
      select tenant, id from deliveries
      where urgent = ${urgent} and state in ('pending', 'sending') and due_time <= now()
      order by due_time limit ${sql.lit(limit)} for update skip locked
    )
    update deliveries d
    set state = 'sending', claim = d.claim + 1, attempts = d.attempts + 1, version = d.version + 1,
      due_time = now() + make_interval(secs => ${leaseSeconds}), update_time = now()
    from taken, notifications n
    where d.tenant = taken.tenant and d.id = taken.id and n.tenant = d.tenant and n.id = d.notification_id
    returning d.tenant, d.id, d.notification_id as "notificationId", n.template, n.user_id as "userId", n.challenge_id as "challengeId",
      d.urgent, d.data, d.traceparent, d.attempts, d.postponements, d.claim, d.version,
      extract(epoch from now() - greatest(n.send_time, n.create_time))::float8 as "ageSeconds"`.execute(db)
  return rows
}

/**
 * Whether a mail that somebody waits for was put off, and is due within seconds or tried again at this moment. Only its first tries count: what an address's own server refuses for
 * hours holds up nobody.
 */
export async function urgentWasPutOff(db: Db<Schema>): Promise<boolean> {
  const { rows } = await sql<{ waits: boolean }>`
    select exists (
      select from deliveries
      where urgent and state in ('pending', 'sending')
        and ((state = 'pending' and attempts between 1 and 8 and due_time <= now() + interval '5 seconds')
          or (state = 'sending' and attempts between 2 and 9))
    ) as waits`.execute(db)
  return rows[0]?.waits ?? false
}

type Claim = Pick<ClaimedDelivery, 'tenant' | 'id' | 'claim'>

/** Ends a delivery and forgets what it said. Answers its version, or undefined where the lease was lost to another worker. */
export async function settleDelivery(
  db: Db<Schema>,
  { tenant, id, claim }: Claim,
  { state, failure = '' }: { state: Exclude<DeliveryState, 'pending' | 'sending'>; failure?: string },
): Promise<number | undefined> {
  // What was given up keeps its words: an operator may send it again.
  const row = await db
    .updateTable('deliveries')
    .set(({ eb }) => ({ state, failure, version: eb('version', '+', 1), update_time: sql<Date>`now()` }))
    .$if(state !== 'failed', (query) => query.set({ data: null }))
    .where('tenant', '=', tenant)
    .where('id', '=', id)
    .where('claim', '=', claim)
    .where('state', '=', 'sending')
    .returning('version')
    .executeTakeFirst()
  return row?.version
}

/** Gives a delivery back, to be taken again after `delaySeconds`. With `uncounted` the try was not one: it never came to the sending. */
export async function returnDelivery(
  db: Db<Schema>,
  { tenant, id, claim }: Claim,
  { delaySeconds, uncounted, failure }: { delaySeconds: number; uncounted: boolean; failure: string },
): Promise<void> {
  await db
    .updateTable('deliveries')
    .set(({ eb }) => ({
      state: 'pending',
      failure,
      version: eb('version', '+', 1),
      attempts: eb('attempts', '-', uncounted ? 1 : 0),
      postponements: eb('postponements', '+', uncounted ? 1 : 0),
      due_time: sql<Date>`now() + make_interval(secs => ${delaySeconds})`,
      update_time: sql<Date>`now()`,
    }))
    .where('tenant', '=', tenant)
    .where('id', '=', id)
    .where('claim', '=', claim)
    .where('state', '=', 'sending')
    .execute()
}

/** Replaces a delivery by a new one with another id, hence another Message-ID and another secret; what was tried counts on. */
export async function supersedeDelivery(db: Db<Schema>, { tenant, id, claim }: Claim, newId: string): Promise<boolean> {
  const { rows } = await sql`
    with old as (
      update deliveries set state = 'superseded', data = null, version = version + 1, update_time = now()
      where tenant = ${tenant} and id = ${id} and claim = ${claim} and state = 'sending'
      returning tenant, notification_id, urgent, version, attempts, postponements, traceparent
    )
    insert into deliveries (tenant, id, notification_id, urgent, version, attempts, postponements, traceparent, due_time)
    select tenant, ${newId}, notification_id, urgent, version + 1, attempts, postponements, traceparent, now() from old
    returning id`.execute(db)
  return rows.length > 0
}

export async function insertDeadDelivery(
  db: Db<Schema>,
  { tenant, id, reason, attempts }: { tenant: string; id: string; reason: string; attempts: number },
): Promise<void> {
  await db.insertInto('dead_deliveries').values({ tenant, delivery_id: id, reason, attempts }).execute()
}

/** Cancels what no worker has begun: exact against one that claims it at the same moment. Answers whether this call did it. */
export async function cancelDelivery(
  db: Db<Schema>,
  { tenant, notificationId }: { tenant: string; notificationId: string },
): Promise<boolean> {
  const row = await db
    .updateTable('deliveries')
    .set(({ eb }) => ({ state: 'cancelled', data: null, version: eb('version', '+', 1), update_time: sql<Date>`now()` }))
    .where('tenant', '=', tenant)
    .where('notification_id', '=', notificationId)
    .where('state', '=', 'pending')
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

/** Stops all that waits for a person, and forgets what was written to them. */
export async function suppressDeliveriesOf(db: Db<Schema>, tenant: string, userId: string): Promise<void> {
  await sql`
    update deliveries d
    set state = case when d.state = 'pending' then 'suppressed' else d.state end,
      failure = case when d.state = 'pending' then 'the person is gone' else d.failure end,
      data = null, version = d.version + 1, update_time = now()
    from notifications n
    where n.tenant = ${tenant} and n.user_id = ${userId} and d.tenant = n.tenant and d.notification_id = n.id
      and (d.state = 'pending' or d.data is not null)`.execute(db)
}

export interface DeadDelivery {
  tenant: string
  delivery_id: string
  template: string
  reason: string
  attempts: number
  create_time: Date
}

/** What was given up, newest first. */
export async function listDeadDeliveries(db: Db<Schema>, limit: number): Promise<DeadDelivery[]> {
  return db
    .selectFrom('dead_deliveries as dead')
    .innerJoin('deliveries as d', (join) => join.onRef('d.tenant', '=', 'dead.tenant').onRef('d.id', '=', 'dead.delivery_id'))
    .innerJoin('notifications as n', (join) => join.onRef('n.tenant', '=', 'd.tenant').onRef('n.id', '=', 'd.notification_id'))
    .select(['dead.tenant', 'dead.delivery_id', 'n.template', 'dead.reason', 'dead.attempts', 'dead.create_time'])
    .orderBy('dead.create_time', 'desc')
    .limit(limit)
    .execute()
}

/** Lets given-up deliveries go again, with all their attempts: one by its id, or all. Answers how many. */
export async function reviveDeliveries(db: Db<Schema>, deliveryId: string | undefined): Promise<number> {
  const { rows } = await sql`
    with dead as (
      delete from dead_deliveries where ${deliveryId ?? null}::uuid is null or delivery_id = ${deliveryId ?? null}::uuid
      returning tenant, delivery_id
    )
    update deliveries d
    set state = 'pending', failure = '', attempts = 0, postponements = 0, version = d.version + 1, due_time = now(), update_time = now()
    from dead where d.tenant = dead.tenant and d.id = dead.delivery_id and d.state = 'failed'
    returning d.id`.execute(db)
  return rows.length
}

/** How many wait and are due, and for how long the oldest of them has: for the metrics. */
export async function measureDueDeliveries(db: Db<Schema>): Promise<{ count: number; oldestSeconds: number }> {
  const { rows } = await sql<{ count: number; oldestSeconds: number }>`
    select count(*)::int as count, coalesce(extract(epoch from now() - min(due_time)), 0)::float8 as "oldestSeconds"
    from deliveries where state in ('pending', 'sending') and due_time <= now()`.execute(db)
  return rows[0] ?? { count: 0, oldestSeconds: 0 }
}
