import { UserInvitedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { type Consumer, defineConsumer } from '@gatehouse/events'
import { invitePerson } from '../core/challenges/invite-person.ts'
import type { Deps } from '../core/deps.ts'
import type { Schema } from '../store/schema.ts'

/** Has an invited person written to. Whether the invitation still stands is asked when the mail is rendered. */
export function onUserInvited(deps: Pick<Deps, 'now'>): Consumer<Schema> {
  return defineConsumer({
    event: UserInvitedSchema,
    async handle(tx, { userId }, { tenant }) {
      await invitePerson(tx, deps, { tenant, userId })
    },
  })
}
