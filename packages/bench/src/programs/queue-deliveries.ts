import { create } from '@bufbuild/protobuf'
import { NotificationDeliveredSchema } from '@gatehouse/contracts/gatehouse/notification/v1/events_pb'
import { type EventRow, eventRow } from '@gatehouse/events'
import { connect, type Db } from '@gatehouse/postgres'
import { sql } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import { type ClaimedDelivery, claimDeliveries } from '../../../../services/notification/src/store/deliveries.ts'
import { insertNotification } from '../../../../services/notification/src/store/notifications.ts'
import type { Schema } from '../../../../services/notification/src/store/schema.ts'
import { settleSent } from '../../../../services/notification/src/store/settle-sent.ts'
import { answerParent } from './answer-parent.ts'
import { EachOnce } from './each-once.ts'
import type { QueueActs, QueueOrder } from './queue-acts.ts'

/** Claimed at once; graphile-worker has as many in its local queue. */
const batch = 500
/** One is settled while the next is being claimed. */
const loops = 2

let db: Db<Schema> | undefined

answerParent<Omit<QueueActs, 'usage'>>({
  async open({ databaseUrl, connections }) {
    db = connect<Schema>({ url: databaseUrl, poolSize: connections, statementTimeoutMs: 60_000 }).kysely
  },
  async enqueue({ jobs, lanes }) {
    const began = performance.now()
    let next = 0
    const lane = async (): Promise<void> => {
      while (next++ < jobs) {
        const userId = uuidv7()
        await insertNotification(opened(), {
          tenant: 'default',
          id: uuidv7(),
          deliveryId: uuidv7(),
          template: 'announcement',
          userId,
          urgent: true,
          data: { title: 'News', text: 'Hello' },
        })
      }
    }
    await Promise.all(Array.from({ length: lanes }, lane))
    return (jobs * 1000) / (performance.now() - began)
  },
  async fill(jobs) {
    await sql`
      with made as (
        insert into notifications (tenant, id, template, user_id, urgent, send_time)
        select 'default', uuidv7(), 'announcement', uuidv7(), true, now() from generate_series(1, ${jobs}::integer)
        returning tenant, id, urgent, send_time
      )
      insert into deliveries (tenant, id, notification_id, urgent, due_time, data)
      select tenant, uuidv7(), id, urgent, send_time, '{"title": "News", "text": "Hello"}' from made`.execute(opened())
    await sql`analyze notifications, deliveries`.execute(opened())
  },
  process,
  async clear() {
    await sql`truncate notifications, deliveries, dead_deliveries, outbox`.execute(opened())
  },
})

async function process({ jobs }: QueueOrder): Promise<number> {
  const done = new EachOnce(jobs)
  let began = Number.NaN
  const loop = async (): Promise<void> => {
    for (;;) {
      const claimed = await claimDeliveries(opened(), { urgent: true, limit: batch, leaseSeconds: 60 })
      if (claimed.length === 0) return
      began = Number.isNaN(began) ? performance.now() : began
      for (const { id } of claimed) done.add(id)
      await complete(claimed)
    }
  }
  await Promise.all(Array.from({ length: loops }, loop))
  const ms = performance.now() - began
  const { rows } = await sql<{ delivered: number }>`select count(*)::int as delivered from deliveries where state = 'delivered'`.execute(
    opened(),
  )
  if (rows[0]?.delivered !== jobs) throw new Error(`${rows[0]?.delivered} of ${jobs} deliveries are delivered`)
  return done.perSecond(ms)
}

async function complete(claimed: readonly ClaimedDelivery[]): Promise<void> {
  const settled = await settleSent(
    opened(),
    claimed.map((delivery) => ({ delivery, event: eventOf(delivery) })),
  )
  if (settled.includes(false)) throw new Error('a lease was lost')
}

function eventOf({ tenant, notificationId, userId, version }: ClaimedDelivery): EventRow {
  const message = create(NotificationDeliveredSchema, { notificationId, version: BigInt(version + 1), userId: userId ?? '' })
  return eventRow({ schema: NotificationDeliveredSchema, message, tenant, version: version + 1 })
}

function opened(): Db<Schema> {
  if (!db) throw new Error('not open')
  return db
}
