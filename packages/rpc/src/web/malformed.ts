import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { commonRefusal, type Refusal } from '../refusal.ts'

/** A body, a query or a header that cannot be read; `field` is the first bad one where one is known. Says nothing of the value, which may be a secret. */
export function malformed(field: string, reason: string, description: string): Refusal {
  return commonRefusal(ErrorReason.MALFORMED_REQUEST, {}, { violations: [{ field, reason, description }] })
}
