import { ErrorReasonSchema } from '@gatehouse/contracts/gatehouse/user/v1/error_reason_pb'
import { refusals } from '@gatehouse/rpc'

/** Refuses with one of the reasons of the user service. */
export const refuse = refusals(ErrorReasonSchema)
