import { currentTraceparent } from '@gatehouse/events'
import type { Db } from '@gatehouse/postgres'
import { type Selectable, type SelectQueryBuilder, sql } from 'kysely'
import type { DeliveriesTable, MailData, NotificationsTable, Schema } from './schema.ts'

/** A notification with how far it came. */
export type NotificationRow = Pick<Selectable<NotificationsTable>, 'tenant' | 'id' | 'template' | 'user_id' | 'send_time' | 'create_time'> &
  Pick<Selectable<DeliveriesTable>, 'state' | 'attempts' | 'failure' | 'update_time'>

export interface NewNotification {
  tenant: string
  id: string
  deliveryId: string
  template: string
  userId?: string
  challengeId?: string
  urgent: boolean
  /** Undefined: at once. */
  sendTime?: Date
  data?: MailData
}

/** Writes a notification with its first delivery, in one statement. */
export async function insertNotification(db: Db<Schema>, notification: NewNotification): Promise<void> {
  const { tenant, id, deliveryId, template, userId = null, challengeId = null, urgent, sendTime = null, data } = notification
  await sql`
    with notification as (
      insert into notifications (tenant, id, template, user_id, challenge_id, urgent, send_time)
      values (${tenant}, ${id}, ${template}, ${userId}, ${challengeId}, ${urgent}, greatest(${sendTime}::timestamptz, now()))
      returning tenant, id, urgent, send_time
    )
    insert into deliveries (tenant, id, notification_id, urgent, due_time, data, traceparent)
    select tenant, ${deliveryId}, id, urgent, send_time, ${data ? JSON.stringify(data) : null}::jsonb, ${currentTraceparent()} from notification`.execute(
    db,
  )
}

export const findNotification = (db: Db<Schema>, tenant: string, id: string): Promise<NotificationRow | undefined> =>
  withProgress(db).where('n.tenant', '=', tenant).where('n.id', '=', id).executeTakeFirst()

/** Newest first; `after` is the last id of the page before. */
export async function listNotifications(
  db: Db<Schema>,
  { tenant, userId, after, limit }: { tenant: string; userId?: string; after?: string; limit: number },
): Promise<NotificationRow[]> {
  return withProgress(db)
    .where('n.tenant', '=', tenant)
    .$if(userId !== undefined, (query) => query.where('n.user_id', '=', userId ?? null))
    .$if(after !== undefined, (query) => query.where('n.id', '<', after ?? ''))
    .orderBy('n.id', 'desc')
    .limit(limit)
    .execute()
}

/** Those that nobody needs any more, in a batch; the oldest and all that hangs on them. */
export async function deleteOldNotifications(db: Db<Schema>, olderThanSeconds: number, limit: number): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from notifications n using (
      select n.tenant, n.id from notifications n
      join deliveries d on d.tenant = n.tenant and d.notification_id = n.id and d.state <> 'superseded'
      where n.create_time < now() - make_interval(secs => ${olderThanSeconds}) and d.state not in ('pending', 'sending')
      order by n.create_time limit ${limit}
    ) old
    where n.tenant = old.tenant and n.id = old.id`.execute(db)
  return Number(numAffectedRows ?? 0n)
}

function withProgress(db: Db<Schema>): SelectQueryBuilder<Joined, 'n' | 'd', NotificationRow> {
  return db
    .selectFrom('notifications as n')
    .innerJoin('deliveries as d', (join) =>
      join.onRef('d.tenant', '=', 'n.tenant').onRef('d.notification_id', '=', 'n.id').on('d.state', '<>', 'superseded'),
    )
    .select([
      'n.tenant',
      'n.id',
      'n.template',
      'n.user_id',
      'n.send_time',
      'n.create_time',
      'd.state',
      'd.attempts',
      'd.failure',
      'd.update_time',
    ])
}

type Joined = Schema & { n: NotificationsTable; d: DeliveriesTable }
