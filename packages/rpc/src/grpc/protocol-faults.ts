import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { type ServerInterceptingCall, type ServerInterceptor, status as Status } from '@grpc/grpc-js'
import { toConnectError } from '../answer-error.ts'
import { commonRefusal } from '../refusal.ts'
import { STATUS_DETAILS, statusOf } from './status.ts'

// What grpc-js answers by itself before any handler runs, where it blames itself for the caller's fault.
const CALLERS_FAULTS =
  /^(?:Failed to decompress message|Invalid grpc-timeout value|Received no request message|Received a second request message)/

/**
 * Gives the statuses that grpc-js makes by itself (too large, not decompressible, a timeout that is none, a passed deadline) our code and ErrorInfo.
 * The engine calls `sendStatus` on its own call object and not through interceptors, so that object is what must be wrapped.
 */
export const answerProtocolFaults: ServerInterceptor = (_method, call) => {
  const send = call.sendStatus
  call.sendStatus = (status) => send.call(call, translated(status))
  // The engine takes any call object, whatever its type says.
  return call as ServerInterceptingCall
}

type PartialStatus = Parameters<ServerInterceptingCall['sendStatus']>[0]

function translated(status: PartialStatus): PartialStatus {
  if (status.code === Status.OK || (status.metadata?.get(STATUS_DETAILS).length ?? 0) > 0) return status
  const reason = reasonOf(status)
  return reason === undefined ? status : statusOf(toConnectError(commonRefusal(reason)))
}

function reasonOf({ code, details }: PartialStatus): ErrorReason | undefined {
  if (code === Status.RESOURCE_EXHAUSTED) return details.startsWith('Sent') ? ErrorReason.INTERNAL : ErrorReason.REQUEST_TOO_LARGE
  if (code === Status.DEADLINE_EXCEEDED) return ErrorReason.DEADLINE_EXCEEDED
  if (CALLERS_FAULTS.test(details)) return ErrorReason.MALFORMED_REQUEST
  return code === Status.INTERNAL ? ErrorReason.INTERNAL : undefined
}
