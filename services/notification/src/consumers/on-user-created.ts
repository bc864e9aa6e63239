import { UserCreatedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { defineConsumer } from '@gatehouse/events'
import type { Deps } from '../core/deps.ts'
import { addInboxItem } from '../core/inbox/add-inbox-item.ts'
import type { Schema } from '../store/schema.ts'

export const onUserCreated = (deps: Deps) =>
  defineConsumer<typeof UserCreatedSchema, Schema>({
    event: UserCreatedSchema,
    async handle(tx, { userId }, { tenant }) {
      await addInboxItem(tx, { tenant, userId, kind: 'welcome' })
    },
    committed: ({ userId }, { tenant }) => deps.inboxChanged({ tenant, userId }),
  })
