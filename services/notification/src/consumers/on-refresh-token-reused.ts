import { RefreshTokenReusedSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { defineConsumer } from '@gatehouse/events'
import type { Deps } from '../core/deps.ts'
import { addInboxItem } from '../core/inbox/add-inbox-item.ts'
import { tellPerson } from '../core/tell-person.ts'
import type { Schema } from '../store/schema.ts'

export const onRefreshTokenReused = (deps: Deps) =>
  defineConsumer<typeof RefreshTokenReusedSchema, Schema>({
    event: RefreshTokenReusedSchema,
    async handle(tx, { userId, mailedApart }, { tenant }) {
      // An older auth tells nothing else of it.
      if (mailedApart) await addInboxItem(tx, { tenant, userId, kind: 'session_ended' })
      else await tellPerson(tx, { tenant, userId, template: 'session_reuse', kind: 'session_ended' })
    },
    committed({ userId }, { tenant }) {
      deps.mailWaits()
      deps.inboxChanged({ tenant, userId })
    },
  })
