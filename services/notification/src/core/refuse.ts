import { ErrorReason, ErrorReasonSchema } from '@gatehouse/contracts/gatehouse/notification/v1/error_reason_pb'
import { refusals } from '@gatehouse/rpc'

export { ErrorReason }

/** Makes a refusal with a reason of the notification service. */
export const refuse = refusals(ErrorReasonSchema)
