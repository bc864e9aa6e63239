import { EmailVerificationRequestedSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import type { Deps } from '../core/deps.ts'
import { challengeMail } from './challenge-mail.ts'

export const onEmailVerificationRequested = (deps: Deps) => challengeMail(EmailVerificationRequestedSchema, 'verify_email', deps)
