import { type Strength, strengthOfAcr } from '@gatehouse/identity'
import type { Deps } from '../deps.ts'
import type { LookAtToken } from './introspect-token.ts'
import type { OidcActs } from './oidc-parts.ts'
import { proofSeconds, readProof } from './tokens/dpop-proof.ts'
import type { FoundToken } from './tokens/found-token.ts'

/** A request to somebody's service, as a gateway tells of it. */
export interface AskedRequest {
  readonly method: string
  readonly url: string
  /** Every `authorization` header that it has. */
  readonly authorization: readonly string[]
  /** Every `dpop` header. */
  readonly proofs: readonly string[]
}

/** What it takes to be let in there. */
export interface Demanded {
  readonly audience: string
  readonly scopes: readonly string[]
  /** 0 for whichever. */
  readonly strength: Strength
}

export type CheckProblem =
  | 'no_token'
  | 'invalid_request'
  | 'invalid_token'
  | 'invalid_dpop_proof'
  | 'insufficient_scope'
  | 'insufficient_user_authentication'

export type Checked = { readonly found: FoundToken } | { readonly problem: CheckProblem }

export interface CheckParts {
  readonly deps: Pick<Deps, 'now'>
  readonly look: LookAtToken
  readonly records: Pick<OidcActs['records'], 'firstTime'>
}

const SCHEME = /^(bearer|dpop) +([A-Za-z0-9._~+/-]+=*)$/i

/** The token that a request shows, in whichever way. */
export function tokenIn({ authorization }: Pick<AskedRequest, 'authorization'>): { scheme: 'bearer' | 'dpop'; token: string } | undefined {
  const [, scheme = '', token = ''] = SCHEME.exec(authorization[0] ?? '') ?? []
  return token === '' ? undefined : { scheme: scheme.toLowerCase() as 'bearer' | 'dpop', token }
}

/**
 * Whether a request may pass to a service of this audience: by a token that is good now, for it, with every scope, from a sign-in that was strong enough. A token that is bound to
 * a key takes a proof of this very request, once; one that is not is no token with a proof, so that nobody believes to be bound who is not.
 */
export async function checkRequest(parts: CheckParts, tenant: string, asked: AskedRequest, demanded: Demanded): Promise<Checked> {
  if (asked.authorization.length === 0) return { problem: 'no_token' }
  if (asked.authorization.length > 1 || asked.proofs.length > 1) return { problem: 'invalid_request' }
  const shown = tokenIn(asked)
  if (shown === undefined) return { problem: 'no_token' }
  const found = await parts.look(tenant, shown.token)
  if (found === undefined || found.kind !== 'access' || found.audience !== demanded.audience) return { problem: 'invalid_token' }
  if ((found.keyThumbprint === undefined) !== (shown.scheme === 'bearer')) return { problem: 'invalid_token' }
  if (!demanded.scopes.every((scope) => found.scope.includes(scope))) return { problem: 'insufficient_scope' }
  if (isTooWeak(found, demanded.strength)) return { problem: 'insufficient_user_authentication' }
  if (found.keyThumbprint === undefined) return { found }
  return (await isProven(parts, tenant, asked, shown.token, found.keyThumbprint)) ? { found } : { problem: 'invalid_dpop_proof' }
}

function isTooWeak({ claims }: FoundToken, demanded: Strength): boolean {
  return demanded > 0 && (typeof claims.acr !== 'string' || strengthOfAcr(claims.acr) < demanded)
}

async function isProven(
  { deps, records }: CheckParts,
  tenant: string,
  { method, url, proofs }: AskedRequest,
  token: string,
  keyThumbprint: string,
): Promise<boolean> {
  const proof = await readProof(proofs[0] ?? '', { method, url, token }, deps.now())
  if (proof?.keyThumbprint !== keyThumbprint) return false
  // Of services behind a gateway, apart from those that the token endpoint saw.
  const key = Buffer.from(`gateway\0${keyThumbprint}\0${proof.id}`)
  return await records.firstTime(tenant, key, new Date((proof.issueTime + proofSeconds) * 1000))
}
