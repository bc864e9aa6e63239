import { v7 as uuidv7 } from 'uuid'
import { insertTelling } from '../store/tell-person.ts'
import type { Deps } from './deps.ts'
import type { InboxKind } from './inbox/texts.ts'
import type { TemplateName } from './mail/template-names.ts'

export interface TellingInput {
  readonly tenant: string
  readonly userId: string
  readonly template: TemplateName
  /** Auth knows where the mail goes. */
  readonly challengeId?: string
  readonly kind: InboxKind
}

/** Tells a person about their account by mail and in the application, within the caller's transaction. */
export async function tellPerson(tx: Deps['db'], input: TellingInput): Promise<void> {
  await insertTelling(tx, { ...input, notificationId: uuidv7(), deliveryId: uuidv7(), itemId: uuidv7() })
}
