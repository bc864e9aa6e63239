import { timestampDate } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import {
  type NotificationService,
  SendNotificationRequestSchema,
} from '@gatehouse/contracts/gatehouse/notification/v1/notification_service_pb'
import { callOf, type MacKeys, repeated } from '@gatehouse/rpc'
import type { Deps } from '../core/deps.ts'
import { cancelNotification } from '../core/notifications/cancel-notification.ts'
import { getNotification } from '../core/notifications/get-notification.ts'
import { listNotifications } from '../core/notifications/list-notifications.ts'
import { sendNotification } from '../core/notifications/send-notification.ts'
import { callerName } from './caller.ts'
import { toNotification } from './to-proto.ts'

/** How requests that carry a `request_id` are compared, and for how long. */
type Repeats = { readonly requestKeys: MacKeys; readonly requestsKeptSeconds?: number }

export const notificationService = (deps: Deps, { requestKeys, requestsKeptSeconds }: Repeats) =>
  ({
    async sendNotification(request, context) {
      const { tenant, caller } = callOf(context)
      const { template, recipient, data, sendTime, requestId } = request
      const row = await sendNotification(deps, {
        tenant,
        caller: callerName(caller),
        requestId,
        ...repeated(SendNotificationRequestSchema, request, requestKeys),
        keptSeconds: requestsKeptSeconds,
        template,
        recipient,
        data,
        ...(sendTime && { sendTime: timestampDate(sendTime) }),
      })
      return { notification: toNotification(row) }
    },
    async getNotification({ id }, context) {
      return { notification: toNotification(await getNotification(deps, { tenant: callOf(context).tenant, id })) }
    },
    async listNotifications({ pageSize, pageToken, userId }, context) {
      const { tenant } = callOf(context)
      const { notifications, nextPageToken } = await listNotifications(deps, { tenant, userId, pageSize, pageToken })
      return { notifications: notifications.map(toNotification), nextPageToken }
    },
    async cancelNotification({ id }, context) {
      return { notification: toNotification(await cancelNotification(deps, { tenant: callOf(context).tenant, id })) }
    },
  }) satisfies ServiceImpl<typeof NotificationService>
