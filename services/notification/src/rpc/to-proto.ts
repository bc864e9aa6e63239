import { create } from '@bufbuild/protobuf'
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { type InboxItem, InboxItemSchema } from '@gatehouse/contracts/gatehouse/notification/v1/inbox_service_pb'
import { type Notification, Notification_State, NotificationSchema } from '@gatehouse/contracts/gatehouse/notification/v1/notification_pb'
import { inboxText } from '../core/inbox/texts.ts'
import type { Language } from '../core/mail/languages.ts'
import type { InboxItemRow } from '../store/inbox.ts'
import type { NotificationRow } from '../store/notifications.ts'
import type { DeliveryState } from '../store/schema.ts'

const states: Record<DeliveryState, Notification_State> = {
  pending: Notification_State.PENDING,
  sending: Notification_State.SENDING,
  delivered: Notification_State.DELIVERED,
  failed: Notification_State.FAILED,
  cancelled: Notification_State.CANCELLED,
  suppressed: Notification_State.SUPPRESSED,
  // Never seen: the delivery that replaced it speaks for the notification.
  superseded: Notification_State.UNSPECIFIED,
}

export const toNotification = (row: NotificationRow): Notification =>
  create(NotificationSchema, {
    id: row.id,
    createTime: timestampFromDate(row.create_time),
    updateTime: timestampFromDate(row.update_time),
    template: row.template,
    userId: row.user_id ?? '',
    sendTime: timestampFromDate(row.send_time),
    state: states[row.state],
    attempts: row.attempts,
    failure: row.state === 'failed' ? row.failure : '',
  })

export const toInboxItem =
  (language: Language) =>
  (row: InboxItemRow): InboxItem =>
    create(InboxItemSchema, {
      id: row.id,
      createTime: timestampFromDate(row.create_time),
      ...(row.read_time && { readTime: timestampFromDate(row.read_time) }),
      kind: row.kind,
      ...inboxText(row.kind, language),
    })
