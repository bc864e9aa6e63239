import { v7 as uuidv7 } from 'uuid'
import { insertNotification, type NewNotification } from '../../store/notifications.ts'
import type { MailData } from '../../store/schema.ts'
import type { Deps } from '../deps.ts'
import { announcement } from '../mail/announcement.ts'
import type { TemplateName } from '../mail/template-names.ts'

export interface MailInput {
  readonly tenant: string
  readonly template: TemplateName
  /** Whom it is for, where they exist. */
  readonly userId?: string
  /** Auth knows what it says and where it goes. */
  readonly challengeId?: string
  readonly data?: MailData
  /** Undefined or past: now. */
  readonly sendTime?: Date
}

/** Writes a mail that is to be sent, within the caller's transaction, and answers the notification's id. */
export async function addMail(tx: Deps['db'], input: MailInput): Promise<string> {
  const id = uuidv7()
  const notification: NewNotification = { ...input, id, deliveryId: uuidv7(), urgent: input.template !== announcement }
  await insertNotification(tx, notification)
  return id
}
