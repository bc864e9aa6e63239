import { fromBinary } from '@bufbuild/protobuf'
import { Code, ConnectError } from '@connectrpc/connect'
import { StatusSchema } from '@gatehouse/contracts/google/rpc/status_pb'
import { Metadata } from '@grpc/grpc-js'
import { STATUS_DETAILS } from '../grpc/status.ts'
import { headersOf } from './call-metadata.ts'

/** A failed gRPC call as a ConnectError with its details. Aborting `signal` ourselves is `canceled`, however the channel calls it. */
export function fromServiceError(error: unknown, signal: AbortSignal | undefined): ConnectError {
  if (error instanceof ConnectError) return error
  if (!(error instanceof Error)) return new ConnectError('The call failed.', Code.Unknown, undefined, undefined, error)
  if (signal?.aborted === true) return new ConnectError('The call was canceled.', Code.Canceled, undefined, undefined, error)
  const code = 'code' in error && typeof error.code === 'number' && error.code in Code ? error.code : Code.Unknown
  const message = 'details' in error && typeof error.details === 'string' ? error.details : error.message
  const metadata = 'metadata' in error && error.metadata instanceof Metadata ? error.metadata : undefined
  const answer = new ConnectError(message, code, headersOf(metadata), undefined, error)
  const [bytes] = metadata?.get(STATUS_DETAILS) ?? []
  if (bytes instanceof Uint8Array) answer.details = detailsOf(bytes)
  return answer
}

function detailsOf(bytes: Uint8Array): ConnectError['details'] {
  try {
    return fromBinary(StatusSchema, bytes).details.map(({ typeUrl, value }) => ({
      type: typeUrl.slice(typeUrl.lastIndexOf('/') + 1),
      value,
    }))
  } catch {
    // Details that cannot be read change nothing about the error.
    return []
  }
}
