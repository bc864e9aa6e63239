import {
  EmailChangedSchema,
  EmailChangeRequestedSchema,
  EmailVerificationRequestedSchema,
  FactorsChangedSchema,
  InvitationRequestedSchema,
  PasswordChangedSchema,
  PasswordResetRequestedSchema,
  RefreshTokenReusedSchema,
  SignedInSchema,
} from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { UserCreatedSchema, UserDeletedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'

/** What `consumers/` handles, for commands, which have nothing to handle it with. */
export const consumedEvents = [
  EmailChangedSchema,
  EmailChangeRequestedSchema,
  EmailVerificationRequestedSchema,
  FactorsChangedSchema,
  InvitationRequestedSchema,
  PasswordChangedSchema,
  PasswordResetRequestedSchema,
  RefreshTokenReusedSchema,
  SignedInSchema,
  UserCreatedSchema,
  UserDeletedSchema,
]
