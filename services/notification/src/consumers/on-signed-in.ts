import { SignedInSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { defineConsumer } from '@gatehouse/events'
import type { Deps } from '../core/deps.ts'
import { addInboxItem } from '../core/inbox/add-inbox-item.ts'
import type { Schema } from '../store/schema.ts'

export const onSignedIn = (deps: Deps) =>
  defineConsumer<typeof SignedInSchema, Schema>({
    event: SignedInSchema,
    async handle(tx, { userId }, { tenant }) {
      await addInboxItem(tx, { tenant, userId, kind: 'signed_in' })
    },
    committed: ({ userId }, { tenant }) => deps.inboxChanged({ tenant, userId }),
  })
