import { EmailChangeRequestedSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import type { Deps } from '../core/deps.ts'
import { challengeMail } from './challenge-mail.ts'

export const onEmailChangeRequested = (deps: Deps) => challengeMail(EmailChangeRequestedSchema, 'change_email', deps)
