import type { MessageShape } from '@bufbuild/protobuf'
import type {
  EmailChangeRequestedSchema,
  EmailSignInRequestedSchema,
  EmailVerificationRequestedSchema,
  InvitationRequestedSchema,
  PasswordResetRequestedSchema,
} from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { type Consumer, defineConsumer } from '@gatehouse/events'
import { addMail } from '../core/deliveries/add-mail.ts'
import type { Deps } from '../core/deps.ts'
import type { TemplateName } from '../core/mail/template-names.ts'
import type { Schema } from '../store/schema.ts'

type ChallengeEvent =
  | typeof EmailVerificationRequestedSchema
  | typeof PasswordResetRequestedSchema
  | typeof InvitationRequestedSchema
  | typeof EmailChangeRequestedSchema
  | typeof EmailSignInRequestedSchema

/** Each of these events is a mail of its own, also the second one of a challenge: what it says is asked for when it is sent. */
export function challengeMail<E extends ChallengeEvent>(event: E, template: TemplateName, deps: Pick<Deps, 'mailWaits'>): Consumer<Schema> {
  return defineConsumer<E, Schema>({
    event,
    async handle(tx, message: MessageShape<ChallengeEvent>, { tenant }) {
      await addMail(tx, { tenant, template, challengeId: message.challengeId })
    },
    committed: () => deps.mailWaits(),
  })
}
