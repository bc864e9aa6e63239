import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import type { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { type Call, callOf } from '@gatehouse/rpc'
import type { Deps } from '../core/deps.ts'
import type { RevocationFeed } from '../core/revocations/revocation-feed.ts'
import { watchRevocations } from '../core/revocations/watch-revocations.ts'
import { listSessions } from '../core/sessions/list-sessions.ts'
import { refreshSession } from '../core/sessions/refresh-session.ts'
import { revokePersonSessions } from '../core/sessions/revoke-person-sessions.ts'
import { revokeSession } from '../core/sessions/revoke-session.ts'
import { signIn } from '../core/sessions/sign-in.ts'
import { signOut } from '../core/sessions/sign-out.ts'
import { issueToken } from '../core/tokens/issue-token.ts'
import { allowCookie, answerWithCookie, clearCookie, clientOf, presentedDevice, presentedToken } from './session-cookie.ts'

/** Where people are signed in. */
export function sessionService(deps: Deps & { feed: RevocationFeed }) {
  return {
    async signIn({ email, password, useCookie, deviceToken }, context) {
      const call = callOf(context)
      allowCookie(call, useCookie)
      const result = await signIn(deps, {
        tenant: call.tenant,
        email,
        password,
        signal: call.signal,
        clientId: clientOf(useCookie),
        deviceToken: presentedDevice(call, useCookie, deviceToken),
        ...seenFrom(call),
      })
      return { result: { case: 'signedIn', value: answerWithCookie(deps, call, result, useCookie) } }
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
    async revokePersonSessions({ userId }, context) {
      const { tenant } = callOf(context)
      return { revokedCount: await revokePersonSessions(deps, { tenant, userId, cause: 'revoked' }) }
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

function seenFrom(call: Call): { userAgent: string; source: string } {
  return { userAgent: call.header('user-agent') ?? '', source: call.source }
}
