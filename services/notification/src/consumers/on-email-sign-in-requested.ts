import { EmailSignInRequestedSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import type { Deps } from '../core/deps.ts'
import { challengeMail } from './challenge-mail.ts'

export const onEmailSignInRequested = (deps: Deps) => challengeMail(EmailSignInRequestedSchema, 'email_sign_in', deps)
