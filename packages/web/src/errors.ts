import { ConnectError } from '@connectrpc/connect'
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from '@gatehouse/contracts/google/rpc/error_details_pb'

/** Why a call was refused, for a page. */
export interface Refused {
  /** Name of the reason without its prefix, such as `EMAIL_TAKEN`; empty where the answer did not come from Gatehouse or the browser. */
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

/** What the browser itself refuses, by the name of its exception; it has sentences for developers only. */
const ofTheBrowser: Readonly<Record<string, { reason: string; message: string }>> = {
  NotAllowedError: { reason: 'PASSKEY_NOT_SHOWN', message: 'No passkey was used. Please try again.' },
  AbortError: { reason: 'PASSKEY_NOT_SHOWN', message: 'No passkey was used. Please try again.' },
  InvalidStateError: { reason: 'PASSKEY_THERE', message: 'This device has a passkey for you already.' },
}

/**
 * Reads what a failed call says. Errors of the network read as a sentence without a reason; a passkey that the person did not show, or has already, as
 * `PASSKEY_NOT_SHOWN` and `PASSKEY_THERE`.
 */
export function refusedOf(error: unknown): Refused {
  const own = error instanceof DOMException ? ofTheBrowser[error.name] : undefined
  if (own !== undefined) return { ...own, metadata: {}, fields: {}, retryAfterSeconds: undefined }
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
