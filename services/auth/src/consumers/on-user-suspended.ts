import { UserSuspendedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { type Consumer, defineConsumer } from '@gatehouse/events'
import { actorNamed } from '../core/audit/actor.ts'
import { auditUserAct } from '../core/audit/audit-user-act.ts'
import type { Deps } from '../core/deps.ts'
import { endGrants } from '../core/oidc/grants/end-grants.ts'
import { revokeSessionsOfUser } from '../core/sessions/revoke-sessions.ts'
import type { Schema } from '../store/schema.ts'

/** Ends the sessions of a suspended person, and what they let clients do, should the user service's own call not have come through. Told late, it spares those that followed a reactivation. */
export function onUserSuspended(deps: Deps): Consumer<Schema> {
  return defineConsumer({
    event: UserSuspendedSchema,
    async handle(tx, { userId, actor }, envelope) {
      const { tenant, time } = envelope
      await auditUserAct(tx, envelope, { kind: 'user_suspend', userId, actor })
      const by = actorNamed(actor, 'user')
      await revokeSessionsOfUser(tx, deps, { tenant, userId, openedUntil: time, cause: 'user_suspended', by })
      await endGrants(tx, deps, { tenant, userId, givenUntil: time }, { cause: 'user_suspended', by })
    },
  })
}
