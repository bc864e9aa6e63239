import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import type { CallContext } from './call-context.ts'
import { type CredentialOptions, verifyPerson } from './credentials.ts'
import { commonRefusal, Refusal } from './refusal.ts'
import type { StreamEnd } from './stream-lifetime.ts'

const CHECK_INTERVAL_MS = 1000

/**
 * Ends a person's stream with their token: well when it ends by its time, with `ACCESS_TOKEN_INVALID` within a second after it was revoked.
 * A stream outlives the check at its door by far; without this a revoked session would go on listening.
 */
export function watchCredentials(context: CallContext, options: CredentialOptions): (stream: StreamEnd) => () => void {
  return (stream) => {
    const { person } = context.caller
    if (person === undefined) return () => {}
    const check = async (): Promise<void> => {
      if (Date.now() >= person.expireTime) return stream.end()
      try {
        await verifyPerson(context, options)
      } catch (error) {
        if (error instanceof Refusal && error.reason === 'ACCESS_TOKEN_INVALID')
          stream.fail(commonRefusal(ErrorReason.ACCESS_TOKEN_INVALID))
      }
    }
    const timer = setInterval(() => void check(), CHECK_INTERVAL_MS)
    timer.unref()
    return () => clearInterval(timer)
  }
}
