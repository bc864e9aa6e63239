import type { DescMessage, MessageShape } from '@bufbuild/protobuf'
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import {
  type AccountService,
  RequestEmailChangeRequestSchema,
  RequestPasswordResetRequestSchema,
  ResendVerificationRequestSchema,
  SignUpRequestSchema,
} from '@gatehouse/contracts/gatehouse/auth/v1/account_service_pb'
import { callOf, repeated } from '@gatehouse/rpc'
import { acceptInvitation } from '../core/accounts/accept-invitation.ts'
import type { Retry } from '../core/accounts/caller.ts'
import { changePassword } from '../core/accounts/change-password.ts'
import { confirmEmailChange } from '../core/accounts/confirm-email-change.ts'
import { lockDown } from '../core/accounts/lock-down.ts'
import { requestEmailChange } from '../core/accounts/request-email-change.ts'
import { requestPasswordReset } from '../core/accounts/request-password-reset.ts'
import { resendVerification } from '../core/accounts/resend-verification.ts'
import { resetPassword } from '../core/accounts/reset-password.ts'
import { signUp } from '../core/accounts/sign-up.ts'
import { verifyEmail } from '../core/accounts/verify-email.ts'
import type { Deps } from '../core/deps.ts'
import { enrolledFactor } from './enrolled-factor.ts'
import { placeOf } from './place-of.ts'
import { proofOf } from './proof-of.ts'
import { allowCookie, resultOf } from './session-cookie.ts'

export function accountService(deps: Deps) {
  const retryOf = <Desc extends DescMessage>(schema: Desc, request: MessageShape<Desc> & { requestId: string }): Retry => ({
    requestId: request.requestId,
    ...repeated(schema, request, deps.requestKeys),
    keptSeconds: deps.requestsKeptSeconds,
  })

  return {
    async signUp(request, context) {
      const { tenant, signal } = callOf(context)
      const { email, password, name, locale } = request
      const retry = retryOf(SignUpRequestSchema, request)
      return { challengeId: await signUp(deps, { tenant, email, password, name, locale, retry, signal }) }
    },
    async verifyEmail({ challengeId, proof, password, useCookie }, context) {
      const call = callOf(context)
      allowCookie(call, useCookie)
      const input = { tenant: call.tenant, challengeId, proof: proofOf(proof), password, place: placeOf(call, useCookie) }
      return { result: resultOf(deps, call, await verifyEmail(deps, input), useCookie) }
    },
    async resendVerification(request, context) {
      const { tenant, withheld } = callOf(context)
      const retry = retryOf(ResendVerificationRequestSchema, request)
      await resendVerification(deps, { tenant, challengeId: request.challengeId, retry, withheld })
      return {}
    },
    async requestPasswordReset(request, context) {
      const { tenant, withheld } = callOf(context)
      const retry = retryOf(RequestPasswordResetRequestSchema, request)
      return { challengeId: await requestPasswordReset(deps, { tenant, email: request.email, retry, withheld }) }
    },
    async resetPassword({ challengeId, proof, password, useCookie }, context) {
      const call = callOf(context)
      allowCookie(call, useCookie)
      const input = { tenant: call.tenant, challengeId, proof: proofOf(proof), password, place: placeOf(call, useCookie) }
      return { result: resultOf(deps, call, await resetPassword(deps, input), useCookie) }
    },
    async acceptInvitation({ token, password, useCookie }, context) {
      const call = callOf(context)
      allowCookie(call, useCookie)
      const input = { tenant: call.tenant, token, password, place: placeOf(call, useCookie) }
      return { result: resultOf(deps, call, await acceptInvitation(deps, input), useCookie) }
    },
    async requestEmailChange(request, context) {
      const call = callOf(context)
      const { id: userId, tenant, sessionId } = call.person()
      const { email, password } = request
      const retry = retryOf(RequestEmailChangeRequestSchema, request)
      const { signal } = call
      return { challengeId: await requestEmailChange(deps, { tenant, userId, sessionId, email, password, retry, signal }) }
    },
    async confirmEmailChange({ challengeId, proof }, context) {
      const { id: userId, tenant, sessionId } = callOf(context).person()
      await confirmEmailChange(deps, { tenant, userId, sessionId, challengeId, proof: proofOf(proof) })
      return {}
    },
    async changePassword({ currentPassword, newPassword }, context) {
      const call = callOf(context)
      const { id: userId, tenant, sessionId } = call.person()
      const { signal } = call
      await changePassword(deps, { tenant, userId, sessionId, currentPassword, newPassword, signal })
      return {}
    },
    async lockDown({ token }, context) {
      const { since, added } = await lockDown(deps, { tenant: callOf(context).tenant, token })
      return { sinceTime: timestampFromDate(since), addedFactors: added.map(enrolledFactor) }
    },
  } satisfies ServiceImpl<typeof AccountService>
}
