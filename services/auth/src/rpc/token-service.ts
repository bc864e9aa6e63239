import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import type { TokenService } from '@gatehouse/contracts/gatehouse/auth/v1/token_service_pb'
import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { callOf, commonRefusal } from '@gatehouse/rpc'
import type { LookAtToken } from '../core/oidc/introspect-token.ts'
import { isAway } from '../core/oidc/is-away.ts'
import type { FoundToken } from '../core/oidc/tokens/found-token.ts'

/** What a token is good for, for programs. */
export function tokenService({ look }: { readonly look: LookAtToken }) {
  return {
    async introspectToken({ token, audience }, context) {
      const found = await orUnavailable(look(callOf(context).tenant, token))
      if (found === undefined || found.kind !== 'access' || (found.audience ?? '') !== audience) return { active: false }
      return tokenMessage(found)
    },
  } satisfies ServiceImpl<typeof TokenService>
}

function tokenMessage({ claims, scope, keyThumbprint = '' }: FoundToken) {
  return {
    active: true,
    subject: textOf(claims.sub),
    clientId: textOf(claims.client_id),
    scopes: [...scope],
    sessionId: textOf(claims.sid),
    grantId: textOf(claims.gid),
    tokenId: textOf(claims.jti),
    acr: textOf(claims.acr),
    ...timeOf('authTime', claims.auth_time),
    ...timeOf('issueTime', claims.iat),
    ...timeOf('expireTime', claims.exp),
    keyThumbprint,
  }
}

function textOf(claim: unknown): string {
  return typeof claim === 'string' ? claim : ''
}

function timeOf(name: string, seconds: unknown) {
  return typeof seconds === 'number' ? { [name]: timestampFromMs(seconds * 1000) } : {}
}

/** That something is away is no word on a token. */
async function orUnavailable<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    throw isAway(error) ? commonRefusal(ErrorReason.DEPENDENCY_UNAVAILABLE, { dependency: 'auth' }, { cause: error }) : error
  }
}
