import { PasswordChangedSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { defineConsumer } from '@gatehouse/events'
import type { Deps } from '../core/deps.ts'
import { tellPerson } from '../core/tell-person.ts'
import type { Schema } from '../store/schema.ts'

export const onPasswordChanged = (deps: Deps) =>
  defineConsumer<typeof PasswordChangedSchema, Schema>({
    event: PasswordChangedSchema,
    async handle(tx, { userId }, { tenant }) {
      await tellPerson(tx, { tenant, userId, template: 'password_changed', kind: 'password_changed' })
    },
    committed({ userId }, { tenant }) {
      deps.mailWaits()
      deps.inboxChanged({ tenant, userId })
    },
  })
