import { UserReactivatedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { type Consumer, defineConsumer } from '@gatehouse/events'
import { auditUserAct } from '../core/audit/audit-user-act.ts'
import type { Schema } from '../store/schema.ts'

/** Writes down who let a suspended person in again. */
export function onUserReactivated(): Consumer<Schema> {
  return defineConsumer({
    event: UserReactivatedSchema,
    handle: (tx, { userId, actor }, envelope) => auditUserAct(tx, envelope, { kind: 'user_reactivate', userId, actor }),
  })
}
