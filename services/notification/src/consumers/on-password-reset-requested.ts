import { PasswordResetRequestedSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import type { Deps } from '../core/deps.ts'
import { challengeMail } from './challenge-mail.ts'

export const onPasswordResetRequested = (deps: Deps) => challengeMail(PasswordResetRequestedSchema, 'reset_password', deps)
