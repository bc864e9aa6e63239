import { cancelDelivery } from '../../store/deliveries.ts'
import { findNotification, type NotificationRow } from '../../store/notifications.ts'
import type { Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'

/** Cancels what no worker has begun to send; a cancelled one stays as it is. */
export async function cancelNotification(deps: Pick<Deps, 'db'>, { tenant, id }: { tenant: string; id: string }): Promise<NotificationRow> {
  const cancelled = await cancelDelivery(deps.db, { tenant, notificationId: id })
  const notification = await findNotification(deps.db, tenant, id)
  if (!notification) throw refuse(ErrorReason.NOTIFICATION_NOT_FOUND)
  if (!cancelled && notification.state !== 'cancelled') throw refuse(ErrorReason.NOTIFICATION_SENT)
  return notification
}
