import { timestampDate, timestampFromDate, timestampFromMs } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import type { FactorProof } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import type { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { type Call, callOf } from '@gatehouse/rpc'
import type { Deps } from '../core/deps.ts'
import type { RevocationFeed } from '../core/revocations/revocation-feed.ts'
import { watchRevocations } from '../core/revocations/watch-revocations.ts'
import { continueSignIn } from '../core/sessions/continue-sign-in.ts'
import { deviceTrustOf, forgetTrustedDevices } from '../core/sessions/device-trust.ts'
import { listSessions } from '../core/sessions/list-sessions.ts'
import { refreshSession } from '../core/sessions/refresh-session.ts'
import { revokePersonSessions } from '../core/sessions/revoke-person-sessions.ts'
import { revokeSession } from '../core/sessions/revoke-session.ts'
import { signIn } from '../core/sessions/sign-in.ts'
import { signOut } from '../core/sessions/sign-out.ts'
import { beginStepUp, completeStepUp } from '../core/sessions/step-up.ts'
import { issueToken } from '../core/tokens/issue-token.ts'
import { placeOf } from './place-of.ts'
import {
  allowCookie,
  answerWithCookie,
  clearCookie,
  clientOf,
  presentedDevice,
  presentedToken,
  presentedTrust,
  resultOf,
} from './session-cookie.ts'

/** Where people are signed in. */
export function sessionService(deps: Deps & { feed: RevocationFeed }) {
  return {
    async signIn({ email, password, useCookie, deviceToken, trustToken }, context) {
      const call = callOf(context)
      allowCookie(call, useCookie)
      const result = await signIn(deps, {
        tenant: call.tenant,
        email,
        password,
        signal: call.signal,
        clientId: clientOf(useCookie),
        deviceToken: presentedDevice(call, useCookie, deviceToken),
        trustToken: presentedTrust(call, useCookie, trustToken),
        ...seenFrom(call),
      })
      return { result: resultOf(deps, call, result, useCookie) }
    },
    async continueSignIn({ continuation, proof, useCookie, trustDevice }, context) {
      const call = callOf(context)
      allowCookie(call, useCookie)
      const input = { tenant: call.tenant, continuation, proof: factorOf(proof), place: placeOf(call, useCookie), trustDevice }
      return { result: resultOf(deps, call, await continueSignIn(deps, input), useCookie) }
    },
    async beginStepUp({ strength }, context) {
      const { tenant, id: userId, sessionId } = callOf(context).person()
      return { nextStep: await beginStepUp(deps, { tenant, userId, sessionId, strength }) }
    },
    async completeStepUp({ continuation, proof, useCookie }, context) {
      const call = callOf(context)
      allowCookie(call, useCookie)
      const { tenant, id: userId, sessionId } = call.person()
      const input = { tenant, userId, sessionId, continuation, proof: factorOf(proof), place: placeOf(call, useCookie) }
      return { result: resultOf(deps, call, await completeStepUp(deps, input), useCookie) }
    },
    async refreshSession({ refreshToken }, context) {
      const call = callOf(context)
      const { token, byCookie } = presentedToken(call, refreshToken)
      const result = await refreshSession(deps, { tenant: call.tenant, refreshToken: token, ...seenFrom(call) })
      return { signedIn: answerWithCookie(deps, call, result, byCookie) }
    },
    async signOut({ refreshToken }, context) {
      const call = callOf(context)
      const { token, byCookie } = presentedToken(call, refreshToken)
      await signOut(deps, { tenant: call.tenant, refreshToken: token })
      if (byCookie) clearCookie(call)
      return {}
    },
    async listSessions({ pageSize, pageToken }, context) {
      const { tenant, id, sessionId } = callOf(context).person()
      return await listSessions(deps, { tenant, userId: id, currentSessionId: sessionId, pageSize, pageToken })
    },
    async revokeSession({ sessionId }, context) {
      const { tenant, id } = callOf(context).person()
      await revokeSession(deps, { tenant, userId: id, sessionId })
      return {}
    },
    async revokeOtherSessions(_, context) {
      const { tenant, id: userId, sessionId } = callOf(context).person()
      return { revokedCount: await revokePersonSessions(deps, { tenant, userId, exceptSessionId: sessionId, cause: 'revoked' }) }
    },
    async revokeSessionsOfUser({ userId }, context) {
      const { tenant } = callOf(context)
      return { revokedCount: await revokePersonSessions(deps, { tenant, userId, cause: 'revoked' }) }
    },
    async revokePersonSessions({ userId, openedUntil }, context) {
      const { tenant } = callOf(context)
      const spared = openedUntil && { openedUntil: timestampDate(openedUntil) }
      return { revokedCount: await revokePersonSessions(deps, { tenant, userId, ...spared, cause: 'revoked', withGrants: true }) }
    },
    async getDeviceTrust({ trustToken, useCookie }, context) {
      const call = callOf(context)
      allowCookie(call, useCookie)
      const { tenant, id: userId } = call.person()
      const { trustedUntil, trustDays } = await deviceTrustOf(deps, { tenant, userId }, presentedTrust(call, useCookie, trustToken))
      return { trustDays, ...(trustedUntil && { trustedUntil: timestampFromDate(trustedUntil) }) }
    },
    async forgetTrustedDevices(_, context) {
      const { tenant, id: userId } = callOf(context).person()
      await forgetTrustedDevices(deps, { tenant, userId })
      return {}
    },
    async issueToken({ audience }, context) {
      const { tenant, sessionId } = callOf(context).person()
      const { token, expireTime } = await issueToken(deps, { tenant, sessionId, audience })
      return { accessToken: token, expireTime: timestampFromMs(expireTime) }
    },
    watchRevocations({ cursor }, context) {
      return watchRevocations(deps, { cursor, signal: callOf(context).signal })
    },
  } satisfies ServiceImpl<typeof SessionService>
}

/** The factor of a request; the contract's rules leave no request without one. */
function factorOf(shown: FactorProof | undefined): FactorProof['proof'] {
  if (shown === undefined) throw new TypeError('A request without a factor passed its rules')
  return shown.proof
}

function seenFrom(call: Call): { userAgent: string; source: string } {
  return { userAgent: call.header('user-agent') ?? '', source: call.source }
}
