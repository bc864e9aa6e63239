import { EmailChangedSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { defineConsumer } from '@gatehouse/events'
import { addMail } from '../core/deliveries/add-mail.ts'
import type { Deps } from '../core/deps.ts'
import { addInboxItem } from '../core/inbox/add-inbox-item.ts'
import type { Schema } from '../store/schema.ts'

/** The old address, which only the challenge still names, is told by mail. */
export const onEmailChanged = (deps: Deps) =>
  defineConsumer<typeof EmailChangedSchema, Schema>({
    event: EmailChangedSchema,
    async handle(tx, { userId, challengeId }, { tenant }) {
      await addMail(tx, { tenant, template: 'email_changed', userId, challengeId })
      await addInboxItem(tx, { tenant, userId, kind: 'email_changed' })
    },
    committed({ userId }, { tenant }) {
      deps.mailWaits()
      deps.inboxChanged({ tenant, userId })
    },
  })
