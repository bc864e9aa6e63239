import { UserUpdatedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { type Consumer, defineConsumer } from '@gatehouse/events'
import { auditUserAct } from '../core/audit/audit-user-act.ts'
import type { Schema } from '../store/schema.ts'

/** Writes down which fields somebody changed of another person; what people change of themselves is theirs. */
export function onUserUpdated(): Consumer<Schema> {
  return defineConsumer({
    event: UserUpdatedSchema,
    async handle(tx, { userId, actor, changedFields }, envelope) {
      if (actor === '' || actor === `person:${userId}` || actor.startsWith('workload:')) return
      await auditUserAct(tx, envelope, { kind: 'user_update', userId, actor, details: { fields: changedFields.join(' ') } })
    },
  })
}
