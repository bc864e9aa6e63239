import type { Consumer } from '@gatehouse/events'
import type { Deps } from '../core/deps.ts'
import type { Schema } from '../store/schema.ts'
import { onEmailChangeRequested } from './on-email-change-requested.ts'
import { onEmailChanged } from './on-email-changed.ts'
import { onEmailSignInRequested } from './on-email-sign-in-requested.ts'
import { onEmailVerificationRequested } from './on-email-verification-requested.ts'
import { onFactorsChanged } from './on-factors-changed.ts'
import { onInvitationRequested } from './on-invitation-requested.ts'
import { onPasswordChanged } from './on-password-changed.ts'
import { onPasswordResetRequested } from './on-password-reset-requested.ts'
import { onRefreshTokenReused } from './on-refresh-token-reused.ts'
import { onSignedIn } from './on-signed-in.ts'
import { onSuspiciousActivity } from './on-suspicious-activity.ts'
import { onUserCreated } from './on-user-created.ts'
import { onUserDeleted } from './on-user-deleted.ts'

/** A suspension has no consumer: whether mail may go to a person is asked at the moment it is sent. */
export const consumersOf = (deps: Deps): Consumer<Schema>[] => [
  onEmailVerificationRequested(deps),
  onPasswordResetRequested(deps),
  onEmailSignInRequested(deps),
  onInvitationRequested(deps),
  onEmailChangeRequested(deps),
  onEmailChanged(deps),
  onPasswordChanged(deps),
  onFactorsChanged(deps),
  onRefreshTokenReused(deps),
  onSignedIn(deps),
  onSuspiciousActivity(deps),
  onUserCreated(deps),
  onUserDeleted(deps),
]
