import { EmailChangedSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { defineConsumer } from '@gatehouse/events'
import type { Deps } from '../core/deps.ts'
import { tellPerson } from '../core/tell-person.ts'
import type { Schema } from '../store/schema.ts'

/** The old address, which only the challenge still names, is told by mail. */
export const onEmailChanged = (deps: Deps) =>
  defineConsumer<typeof EmailChangedSchema, Schema>({
    event: EmailChangedSchema,
    async handle(tx, { userId, challengeId }, { tenant }) {
      await tellPerson(tx, { tenant, userId, challengeId, template: 'email_changed', kind: 'email_changed' })
    },
    committed({ userId }, { tenant }) {
      deps.mailWaits()
      deps.inboxChanged({ tenant, userId })
    },
  })
