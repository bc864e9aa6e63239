import type { MessageInitShape } from '@bufbuild/protobuf'
import { Code } from '@connectrpc/connect'
import { HeaderValueOption_HeaderAppendAction as AppendAction } from '@gatehouse/contracts/envoy/config/core/v3/base_pb'
import type { CheckResponseSchema } from '@gatehouse/contracts/envoy/service/auth/v3/external_auth_pb'
import { StatusCode } from '@gatehouse/contracts/envoy/type/v3/http_status_pb'
import { acrOf } from '@gatehouse/identity'
import type { CheckProblem, Demanded } from '../core/oidc/check-request.ts'
import type { FoundToken } from '../core/oidc/tokens/found-token.ts'

type Answer = MessageInitShape<typeof CheckResponseSchema>

const OK = 0
const PREFIX = 'x-gatehouse-'

/** Lets a request pass, with what is known of it: a client's own headers of these names never arrive, whether or not there is something to say. */
export function allowed({ claims, scope }: FoundToken, { strip }: { readonly strip: boolean }): Answer {
  const told: Readonly<Record<string, unknown>> = {
    subject: claims.sub,
    tenant: claims.tid,
    client: claims.client_id,
    session: claims.sid,
    scope: scope.join(' '),
    acr: claims.acr,
  }
  const headers: ReturnType<typeof header>[] = []
  const headersToRemove: string[] = strip ? ['authorization', 'dpop'] : []
  for (const [name, value] of Object.entries(told)) {
    if (typeof value === 'string' && value !== '') headers.push(header(PREFIX + name, value))
    else headersToRemove.push(PREFIX + name)
  }
  return { status: { code: OK }, httpResponse: { case: 'okResponse', value: { headers, headersToRemove } } }
}

const statuses: Readonly<Record<CheckProblem, StatusCode>> = {
  no_token: StatusCode.Unauthorized,
  invalid_request: StatusCode.BadRequest,
  invalid_token: StatusCode.Unauthorized,
  invalid_dpop_proof: StatusCode.Unauthorized,
  insufficient_scope: StatusCode.Forbidden,
  insufficient_user_authentication: StatusCode.Unauthorized,
}

/** Turns a request away in the words of RFC 6750, 9449 and 9470; of a token that is missing nothing is wrong. */
export function denied(problem: CheckProblem, { scopes, strength }: Demanded): Answer {
  const more: Partial<Record<CheckProblem, string>> = {
    insufficient_scope: `, scope="${scopes.filter((scope) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope)).join(' ')}"`,
    insufficient_user_authentication: `, acr_values="${acrOf(strength)}"`,
  }
  const said = problem === 'no_token' ? '' : ` error="${problem}"${more[problem] ?? ''}`
  // A proof is asked for by name; whoever has the wrong one is told by that scheme alone.
  const dpop = `DPoP${problem === 'invalid_dpop_proof' ? `${said},` : ''} algs="ES256 Ed25519 EdDSA"`
  const challenges = problem === 'invalid_dpop_proof' ? [dpop] : [`Bearer${said === '' ? ' realm="gatehouse"' : said}`, dpop]
  const code = statuses[problem] === StatusCode.Forbidden ? Code.PermissionDenied : Code.Unauthenticated
  return refusal(code, statuses[problem], problem === 'no_token' ? 'invalid_token' : problem, [
    header('www-authenticate', challenges.join(', ')),
  ])
}

/** Nothing was decided: whoever sent the request comes again. */
export function unavailable(): Answer {
  return refusal(Code.Unavailable, StatusCode.ServiceUnavailable, 'temporarily_unavailable', [header('retry-after', '1')])
}

function refusal(code: Code, status: StatusCode, error: string, more: ReturnType<typeof header>[]): Answer {
  const headers = [header('content-type', 'application/json'), header('cache-control', 'no-store'), ...more]
  const value = { status: { code: status }, headers, body: JSON.stringify({ error }) }
  return { status: { code, message: error }, httpResponse: { case: 'deniedResponse', value } }
}

function header(key: string, value: string) {
  return { header: { key, value }, appendAction: AppendAction.OVERWRITE_IF_EXISTS_OR_ADD }
}
