import { InvitationRequestedSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import type { Deps } from '../core/deps.ts'
import { challengeMail } from './challenge-mail.ts'

export const onInvitationRequested = (deps: Deps) => challengeMail(InvitationRequestedSchema, 'accept_invitation', deps)
