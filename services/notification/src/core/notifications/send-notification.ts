import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { once, type Request, transact } from '@gatehouse/postgres'
import { forTenant, type Refusal, reasonOf } from '@gatehouse/rpc'
import { findNotification, type NotificationRow } from '../../store/notifications.ts'
import type { MailData } from '../../store/schema.ts'
import { addMail } from '../deliveries/add-mail.ts'
import type { Deps } from '../deps.ts'
import { announcement, checkAnnouncement } from '../mail/announcement.ts'
import { ErrorReason, refuse } from '../refuse.ts'

export interface SendNotificationInput {
  readonly tenant: string
  /** Who asks, as a stable name. */
  readonly caller: string
  readonly requestId: string
  readonly fingerprint: string
  readonly alsoKnownAs?: Request['alsoKnownAs']
  readonly keptSeconds?: number | undefined
  readonly template: string
  /** A person's id. */
  readonly recipient: string
  readonly data: MailData
  readonly sendTime?: Date
}

const method = 'gatehouse.notification.v1.NotificationService/SendNotification'

type SendDeps = Pick<Deps, 'db' | 'users' | 'originOf' | 'mailWaits'>

/** Writes a mail to a person. The same request id answers the first one's notification, even if the person has gone since, or user is away. */
export async function sendNotification(deps: SendDeps, input: SendNotificationInput): Promise<NotificationRow> {
  const { tenant, caller, requestId, fingerprint, alsoKnownAs, keptSeconds, recipient, data, sendTime } = input
  // The other templates speak for us: only facts send them.
  if (input.template !== announcement) throw refuse(ErrorReason.TEMPLATE_UNKNOWN)
  const field = checkAnnouncement(data, deps.originOf(tenant))
  if (field !== undefined) throw refuse(ErrorReason.TEMPLATE_DATA_INVALID, { field }, { field: `data["${field}"]` })
  // Asked before the transaction, because none stays open across a call to a peer.
  const problem = await recipientProblem(deps, tenant, recipient)
  const { id } = await transact(deps.db, (tx) =>
    once(tx, { tenant, caller, method, requestId, fingerprint, alsoKnownAs, keptSeconds }, () => {
      if (problem) throw problem
      return addMail(tx, { tenant, template: announcement, userId: recipient, data, ...(sendTime && { sendTime }) })
    }),
  )
  deps.mailWaits()
  const notification = await findNotification(deps.db, tenant, id)
  if (!notification) throw new Error(`notification ${id} was cleaned up before its request was forgotten`)
  return notification
}

async function recipientProblem(deps: SendDeps, tenant: string, userId: string): Promise<Refusal | Error | undefined> {
  try {
    const { user } = await deps.users.resolveUser({ by: { case: 'id', value: userId } }, forTenant(tenant, { timeoutMs: 3000 }))
    return user && user.state !== User_State.DELETED ? undefined : refuse(ErrorReason.RECIPIENT_NOT_FOUND)
  } catch (error) {
    if (reasonOf(error) === 'USER_NOT_FOUND') return refuse(ErrorReason.RECIPIENT_NOT_FOUND)
    return error instanceof Error ? error : new Error('the user service failed', { cause: error })
  }
}
