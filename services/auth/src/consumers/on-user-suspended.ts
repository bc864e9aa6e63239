import { UserSuspendedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { defineConsumer } from '@gatehouse/events'
import type { Deps } from '../core/deps.ts'
import { revokeSessionsOfUser } from '../core/sessions/revoke-sessions.ts'

/** Ends the sessions of a suspended person, should the user service's own call not have come through. */
export function onUserSuspended(deps: Deps) {
  return defineConsumer({
    event: UserSuspendedSchema,
    async handle(tx, { userId }, { tenant }) {
      await revokeSessionsOfUser(tx, deps, { tenant, userId, cause: 'user_suspended' })
    },
  })
}
