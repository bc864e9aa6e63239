import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import type { EnrolmentService } from '@gatehouse/contracts/gatehouse/auth/v1/enrolment_service_pb'
import { callOf } from '@gatehouse/rpc'
import type { Deps } from '../core/deps.ts'
import { beginTotpEnrolment, completeTotpEnrolment } from '../core/factors/enrol-totp.ts'
import { beginPasskeyEnrolment, completePasskeyEnrolment } from '../core/passkeys/enrol-passkey.ts'
import { placeOf } from './place-of.ts'
import { allowCookie, answerWithCookie } from './session-cookie.ts'

/** Second factors for whoever must have one before there is a session. */
export function enrolmentService(deps: Deps) {
  return {
    async beginTotpEnrolment({ continuation }, context) {
      const { tenant } = callOf(context)
      const { expireTime, ...setup } = await beginTotpEnrolment(deps, { tenant, continuation })
      return { ...setup, expireTime: timestampFromDate(expireTime) }
    },
    async completeTotpEnrolment({ continuation, code, useCookie }, context) {
      const call = callOf(context)
      allowCookie(call, useCookie)
      const input = { tenant: call.tenant, continuation, code, place: placeOf(call, useCookie) }
      const { signedIn, recoveryCodes } = await completeTotpEnrolment(deps, input)
      return { signedIn: answerWithCookie(deps, call, signedIn, useCookie), recoveryCodes }
    },
    async beginPasskeyEnrolment({ continuation }, context) {
      return await beginPasskeyEnrolment(deps, { tenant: callOf(context).tenant, continuation })
    },
    async completePasskeyEnrolment({ continuation, attemptId, passkeyJson, name, useCookie }, context) {
      const call = callOf(context)
      allowCookie(call, useCookie)
      const input = { tenant: call.tenant, continuation, attemptId, passkeyJson, name, place: placeOf(call, useCookie) }
      const { signedIn, recoveryCodes } = await completePasskeyEnrolment(deps, input)
      return { signedIn: answerWithCookie(deps, call, signedIn, useCookie), recoveryCodes }
    },
  } satisfies ServiceImpl<typeof EnrolmentService>
}
