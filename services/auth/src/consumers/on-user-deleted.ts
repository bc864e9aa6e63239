import { UserDeletedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { defineConsumer } from '@gatehouse/events'
import type { Deps } from '../core/deps.ts'
import { revokeSessionsOfUser } from '../core/sessions/revoke-sessions.ts'
import { deleteCredential } from '../store/credentials.ts'
import { deleteBindings } from '../store/role-bindings.ts'

/** Forgets what a deleted person could sign in with and do. */
export function onUserDeleted(deps: Deps) {
  return defineConsumer({
    event: UserDeletedSchema,
    async handle(tx, { userId }, { tenant }) {
      await revokeSessionsOfUser(tx, deps, { tenant, userId, cause: 'user_deleted' })
      await deleteCredential(tx, { tenant, userId })
      await deleteBindings(tx, { tenant, id: userId })
    },
  })
}
