import { ConnectError } from '@connectrpc/connect'
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from '@gatehouse/contracts/google/rpc/error_details_pb'

/** Why a call was refused, for a page. */
export interface Refused {
  /** Name of the reason without its prefix, such as `EMAIL_TAKEN`; empty where the answer did not come from Gatehouse. */
  readonly reason: string
  /** One sentence for a person. */
  readonly message: string
  /** Values that the reason's documentation names. */
  readonly metadata: Readonly<Record<string, string>>
  /** What is wrong with which field of the request, by its path. */
  readonly fields: Readonly<Record<string, string>>
  /** Seconds to wait before trying again, where the server said so. */
  readonly retryAfterSeconds: number | undefined
}

/** Reads what a failed call says. Errors of the network read as a sentence without a reason. */
export function refusedOf(error: unknown): Refused {
  const connect = ConnectError.from(error)
  const [info] = connect.findDetails(ErrorInfoSchema)
  const [retry] = connect.findDetails(RetryInfoSchema)
  const violations = connect.findDetails(BadRequestSchema).flatMap((detail) => detail.fieldViolations)
  return {
    reason: info?.reason.replace(/^ERROR_REASON_/, '') ?? '',
    message: info ? connect.rawMessage : 'Gatehouse cannot be reached right now. Please try again.',
    metadata: info?.metadata ?? {},
    fields: Object.fromEntries(violations.map(({ field, description }) => [field, description])),
    retryAfterSeconds: retry?.retryDelay ? Number(retry.retryDelay.seconds) : undefined,
  }
}
