import { decodePageToken, encodePageToken, PageTokenInvalid } from '@gatehouse/postgres'
import { validate as isUuid } from 'uuid'
import { listNotifications as listRows, type NotificationRow } from '../../store/notifications.ts'
import type { Deps } from '../deps.ts'

export interface ListNotificationsInput {
  readonly tenant: string
  /** Empty for everybody's. */
  readonly userId: string
  readonly pageSize: number
  readonly pageToken: string
}

export async function listNotifications(
  deps: Pick<Deps, 'db'>,
  input: ListNotificationsInput,
): Promise<{ notifications: NotificationRow[]; nextPageToken: string }> {
  const { tenant, userId, pageSize, pageToken } = input
  const scope = JSON.stringify(['notifications', tenant, userId])
  const after = decodePageToken(scope, pageToken)?.[0]
  if (after === undefined ? pageToken !== '' : !isUuid(after)) throw new PageTokenInvalid('not a notification')
  const limit = pageSize || 50
  const rows = await listRows(deps.db, { tenant, limit: limit + 1, ...(userId && { userId }), ...(after && { after }) })
  const notifications = rows.slice(0, limit)
  const last = rows.length > limit ? notifications.at(-1) : undefined
  return { notifications, nextPageToken: last ? encodePageToken(scope, [last.id]) : '' }
}
