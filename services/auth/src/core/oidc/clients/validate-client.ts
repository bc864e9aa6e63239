import {
  ClientAuthMethod,
  ClientKind,
  type ClientSettings,
  ClientGrantType as Grant,
} from '@gatehouse/contracts/gatehouse/auth/v1/client_pb'
import { listNamed } from '../../../store/oidc/resources.ts'
import { findTenant } from '../../../store/tenants.ts'
import type { Deps } from '../../deps.ts'
import { ErrorReason, refuse } from '../../refuse.ts'
import { keySetProblem } from './client-keys.ts'
import { backchannelProblem, originProblem, redirectProblem } from './client-uris.ts'

/** Everything that is asked of a client beyond the rules of the contract. */
export interface ClientRules {
  /** Clients without PKCE may be made: for a conformance suite, never in production. */
  readonly conformance?: boolean
  /** There is a key that pairwise ids follow from. */
  readonly pairwise?: boolean
  /** What of our own network may be called, by `host` or `host:port`. */
  readonly egressAllow?: readonly string[]
}

/** Introspects whatever we issue: a gateway's word, of our own ones only. */
export const everyAudience = '*'

/** Refuses settings that cannot be. No value of them is told: what is wrong is. */
export async function validateClient(deps: Pick<Deps, 'db'>, tenant: string, settings: ClientSettings, rules: ClientRules): Promise<void> {
  const origin = (await findTenant(deps.db, tenant))?.origin ?? ''
  const localhost = URL.canParse(origin) && new URL(origin).hostname.endsWith('localhost')
  for (const [field, problem] of problemsOf(settings, { localhost, ...rules }))
    if (problem !== undefined) throw refuse(ErrorReason.CLIENT_METADATA_INVALID, { field, problem })
  await refuseUnknown(deps, tenant, settings)
}

type Problem = readonly [field: string, problem: string | undefined]

function* problemsOf(
  settings: ClientSettings,
  { localhost, egressAllow, conformance = false, pairwise = false }: ClientRules & { localhost: boolean },
): Generator<Problem> {
  const { kind, options } = settings
  for (const [at, uri] of settings.redirectUris.entries()) yield [`redirect_uris[${at}]`, redirectProblem(uri, { kind, localhost })]
  for (const [at, uri] of settings.postLogoutRedirectUris.entries())
    yield [`post_logout_redirect_uris[${at}]`, redirectProblem(uri, { kind, localhost })]
  for (const [at, origin] of settings.origins.entries()) yield [`origins[${at}]`, originProblem(origin, localhost)]
  if (settings.backchannelLogoutUri !== '')
    yield ['backchannel_logout_uri', backchannelProblem(settings.backchannelLogoutUri, { localhost, egressAllow })]
  if (settings.jwksJson !== '') yield ['jwks_json', keySetProblem(settings.jwksJson)]
  yield* problemsOfGrants(settings)
  if (settings.introspects.includes(everyAudience))
    yield ['introspects', settings.firstParty ? undefined : 'has *, which is for our own clients']
  if (options?.pairwise) yield ['options.pairwise', pairwise ? pairwiseProblem(settings) : 'needs OIDC_PAIRWISE_KEY']
  if (options?.conformance) yield ['options.conformance', conformance ? undefined : 'is for where OIDC_CONFORMANCE is set']
}

/** Whoever knows a client's people by ids of its own: a sector that is its own, and no token that says to somebody else who they are. */
function pairwiseProblem({ kind, grantTypes, redirectUris, resources }: ClientSettings): string | undefined {
  if (kind !== ClientKind.WEB && kind !== ClientKind.BROWSER) return 'is for clients with a host of their own'
  if (grantTypes.includes(Grant.DEVICE_CODE) || grantTypes.includes(Grant.TOKEN_EXCHANGE))
    return 'goes with neither device_code nor token_exchange'
  if (resources.length > 0) return 'goes with no resources: their tokens would say who it is'
  return new Set(redirectUris.map((uri) => new URL(uri).host)).size === 1 ? undefined : 'needs redirect_uris of one host'
}

function* problemsOfGrants({ kind, grantTypes, scopes, authMethod }: ClientSettings): Generator<Problem> {
  const has = (type: Grant) => grantTypes.includes(type)
  const isPublic = authMethod === ClientAuthMethod.NONE
  if (has(Grant.REFRESH_TOKEN) && !has(Grant.AUTHORIZATION_CODE) && !has(Grant.DEVICE_CODE))
    yield ['grant_types', 'has refresh_token, and nothing that gives the first one']
  if (scopes.includes('offline_access') && !has(Grant.REFRESH_TOKEN))
    yield ['scopes', 'has offline_access, and grant_types no refresh_token']
  if (isPublic && (has(Grant.CLIENT_CREDENTIALS) || has(Grant.TOKEN_EXCHANGE)))
    yield ['grant_types', 'has what only a client can use that proves who it is']
  if (kind === ClientKind.BROWSER && has(Grant.DEVICE_CODE)) yield ['grant_types', 'has device_code, and the client is a browser itself']
}

async function refuseUnknown(deps: Pick<Deps, 'db'>, tenant: string, { resources, introspects }: ClientSettings): Promise<void> {
  const audiences = introspects.filter((each) => each !== everyAudience)
  if (resources.length === 0 && audiences.length === 0) return
  const named = await listNamed(deps.db, { tenant, resources, audiences })
  const unknown =
    resources.find((each) => !named.some(({ resource }) => resource === each)) ??
    audiences.find((each) => !named.some(({ audience }) => audience === each))
  if (unknown !== undefined) throw refuse(ErrorReason.RESOURCE_UNKNOWN, { resource: unknown })
}
