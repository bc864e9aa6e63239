import { currentTraceparent } from '@gatehouse/events'
import type { Db } from '@gatehouse/postgres'
import { sql } from 'kysely'
import type { Schema } from './schema.ts'

/** A mail to a person and the inbox item that says the same. */
export interface Telling {
  readonly tenant: string
  readonly userId: string
  readonly notificationId: string
  readonly deliveryId: string
  readonly template: string
  readonly challengeId?: string
  readonly itemId: string
  readonly kind: string
}

/** One statement for both: the inbox gives its next sequence, under the lock of its head; a closed one gets no item, and the mail finds out by itself. */
export async function insertTelling(db: Db<Schema>, telling: Telling): Promise<void> {
  const { tenant, userId, notificationId, deliveryId, template, challengeId = null, itemId, kind } = telling
  await sql`
    with notification as (
      insert into notifications (tenant, id, template, user_id, challenge_id, urgent, send_time)
      values (${tenant}, ${notificationId}, ${template}, ${userId}, ${challengeId}, true, now())
      returning tenant, id, urgent, send_time
    ), delivery as (
      insert into deliveries (tenant, id, notification_id, urgent, due_time, traceparent)
      select tenant, ${deliveryId}, id, urgent, send_time, ${currentTraceparent()} from notification
    ), head as (
      insert into inbox_heads (tenant, user_id, sequence) values (${tenant}, ${userId}, 1)
      on conflict (tenant, user_id) do update set sequence = inbox_heads.sequence + 1 where not inbox_heads.closed
      returning tenant, user_id, sequence
    )
    insert into inbox_items (tenant, user_id, id, sequence, change_sequence, kind)
    select tenant, user_id, ${itemId}, sequence, sequence, ${kind} from head`.execute(db)
}
