import { findNotification, type NotificationRow } from '../../store/notifications.ts'
import type { Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'

export async function getNotification(deps: Pick<Deps, 'db'>, { tenant, id }: { tenant: string; id: string }): Promise<NotificationRow> {
  const notification = await findNotification(deps.db, tenant, id)
  if (!notification) throw refuse(ErrorReason.NOTIFICATION_NOT_FOUND)
  return notification
}
