import { UserDeletedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { type Consumer, defineConsumer } from '@gatehouse/events'
import { forgetPerson } from '../core/accounts/forget-person.ts'
import { actorNamed } from '../core/audit/actor.ts'
import { auditUserAct } from '../core/audit/audit-user-act.ts'
import type { Deps } from '../core/deps.ts'
import { endGrants } from '../core/oidc/grants/end-grants.ts'
import { unbindPerson } from '../core/roles/unbind-person.ts'
import { revokeSessionsOfUser } from '../core/sessions/revoke-sessions.ts'
import type { Schema } from '../store/schema.ts'

/** Forgets what a deleted person could sign in with and do. */
export function onUserDeleted(deps: Deps): Consumer<Schema> {
  return defineConsumer({
    event: UserDeletedSchema,
    async handle(tx, { userId, actor }, envelope) {
      const { tenant } = envelope
      await auditUserAct(tx, envelope, { kind: 'user_delete', userId, actor })
      const by = actorNamed(actor, 'user')
      await revokeSessionsOfUser(tx, deps, { tenant, userId, cause: 'user_deleted', by })
      await endGrants(tx, deps, { tenant, userId }, { cause: 'user_deleted', by })
      await forgetPerson(tx, { tenant, userId })
      await unbindPerson(tx, { tenant, userId })
    },
  })
}
