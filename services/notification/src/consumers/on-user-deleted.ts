import { UserDeletedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { defineConsumer } from '@gatehouse/events'
import type { Deps } from '../core/deps.ts'
import { forgetPerson } from '../core/forget-person.ts'
import type { Schema } from '../store/schema.ts'

export const onUserDeleted = (deps: Deps) =>
  defineConsumer<typeof UserDeletedSchema, Schema>({
    event: UserDeletedSchema,
    async handle(tx, { userId }, { tenant }) {
      await forgetPerson(tx, { tenant, userId })
    },
    committed: ({ userId }, { tenant }) => deps.inboxChanged({ tenant, userId }),
  })
