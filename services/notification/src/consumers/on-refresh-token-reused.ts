import { RefreshTokenReusedSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { defineConsumer } from '@gatehouse/events'
import { addMail } from '../core/deliveries/add-mail.ts'
import type { Deps } from '../core/deps.ts'
import { addInboxItem } from '../core/inbox/add-inbox-item.ts'
import type { Schema } from '../store/schema.ts'

export const onRefreshTokenReused = (deps: Deps) =>
  defineConsumer<typeof RefreshTokenReusedSchema, Schema>({
    event: RefreshTokenReusedSchema,
    async handle(tx, { userId }, { tenant }) {
      await addMail(tx, { tenant, template: 'session_reuse', userId })
      await addInboxItem(tx, { tenant, userId, kind: 'session_ended' })
    },
    committed({ userId }, { tenant }) {
      deps.mailWaits()
      deps.inboxChanged({ tenant, userId })
    },
  })
