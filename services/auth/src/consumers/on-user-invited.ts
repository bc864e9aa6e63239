import { UserInvitedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { type Consumer, defineConsumer, TransientFailure } from '@gatehouse/events'
import { auditUserAct } from '../core/audit/audit-user-act.ts'
import { findInvited, invitePerson } from '../core/challenges/invite-person.ts'
import type { Deps } from '../core/deps.ts'
import type { Schema } from '../store/schema.ts'

/** Has an invited person written to. Told late, of somebody who is gone or has come by now, it does nothing. */
export function onUserInvited(deps: Pick<Deps, 'db' | 'users' | 'batches' | 'now'>): Consumer<Schema> {
  return defineConsumer({
    event: UserInvitedSchema,
    async prepare({ userId }, { tenant }) {
      try {
        return await findInvited(deps, { tenant, userId })
      } catch (error) {
        throw new TransientFailure('nobody can say whether the invitation still stands', { cause: error })
      }
    },
    async handle(tx, { userId, actor }, envelope, invited) {
      await auditUserAct(tx, envelope, { kind: 'user_invite', userId, actor })
      const outcome = invited && (await invitePerson(tx, deps, invited))
      if (outcome === 'changed') throw new TransientFailure('the sessions of the invited person were ended meanwhile')
    },
  })
}
