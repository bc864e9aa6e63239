import type { ServiceImpl } from '@connectrpc/connect'
import { BeginEmailSignInRequestSchema, type EmailSignInService } from '@gatehouse/contracts/gatehouse/auth/v1/email_sign_in_service_pb'
import { callOf, repeated } from '@gatehouse/rpc'
import type { Deps } from '../core/deps.ts'
import { beginEmailSignIn, completeEmailSignIn } from '../core/sessions/email-sign-in.ts'
import { placeOf } from './place-of.ts'
import { proofOf } from './proof-of.ts'
import { allowCookie, resultOf } from './session-cookie.ts'

/** Sign-in by mail. */
export function emailSignInService(deps: Deps) {
  return {
    async beginEmailSignIn(request, context) {
      const { tenant, withheld } = callOf(context)
      const { email, requestId } = request
      const retry = {
        requestId,
        ...repeated(BeginEmailSignInRequestSchema, request, deps.requestKeys),
        keptSeconds: deps.requestsKeptSeconds,
      }
      return { challengeId: await beginEmailSignIn(deps, { tenant, email, retry, withheld }) }
    },
    async completeEmailSignIn({ challengeId, proof, useCookie }, context) {
      const call = callOf(context)
      allowCookie(call, useCookie)
      const input = { tenant: call.tenant, challengeId, proof: proofOf(proof), place: placeOf(call, useCookie) }
      return { result: resultOf(deps, call, await completeEmailSignIn(deps, input), useCookie) }
    },
  } satisfies ServiceImpl<typeof EmailSignInService>
}
