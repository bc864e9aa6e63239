import type { LibraryMetadata, OidcActs, Payload } from '../../core/oidc/oidc-parts.ts'
import { offeredClaims, offeredScopes } from '../offered-scopes.ts'
import type { Interaction } from './interaction.ts'

/** What a client may be given. */
export interface Access {
  readonly scopes: readonly string[]
  readonly claims: readonly string[]
  /** By resource indicator. */
  readonly resources: Readonly<Record<string, readonly string[]>>
}

/** Of a grant. */
interface Part {
  readonly openid?: { readonly scope?: string; readonly claims?: readonly string[] }
  readonly resources?: Readonly<Record<string, string>>
}

/** How somebody signed in is part of who signed in: nobody is asked for that. */
const CLAIMS = new Set<string>(Object.values(offeredClaims).flat())

/** Asked for on purpose, whatever was answered before. */
const DELIBERATE = ['consent_prompt', 'native_client_prompt']

/** Everything that the client asks for. */
export async function askedOf(
  acts: Pick<OidcActs, 'clients'>,
  tenant: string,
  { params }: Pick<Interaction, 'params'>,
  client: LibraryMetadata,
): Promise<Access> {
  const wanted = wordsOf(params.scope)
  const indicators = [params.resource ?? []].flat().filter((each): each is string => typeof each === 'string')
  const resources = await Promise.all(indicators.map((each) => acts.clients.resource(tenant, client, each)))
  return {
    scopes: wanted.filter((scope) => offeredScopes.some((each) => each === scope)),
    claims: claimsOf(params.claims),
    resources: Object.fromEntries(
      resources.flatMap((each) => (each === undefined ? [] : [[each.resource, wanted.filter((scope) => each.scopes.includes(scope))]])),
    ),
  }
}

/** What the person has not answered yet. Where they are asked on purpose they may also think better of what they refused. */
export function missingOf({ prompt }: Pick<Interaction, 'prompt'>, asked: Access, grant: Payload | undefined): Access {
  if (prompt.name !== 'consent') return { scopes: [], claims: [], resources: {} }
  const { missingOIDCScope = [], missingOIDCClaims = [], missingResourceScopes = {} } = prompt.details
  const refused = prompt.reasons.some((reason) => DELIBERATE.includes(reason)) ? refusedIn(grant) : refusedIn(undefined)
  const names = Object.keys(asked.resources)
  const missingOf = (name: string) =>
    both(missingResourceScopes[name] ?? [], common(asked.resources[name] ?? [], refused.resources[name] ?? []))
  return {
    scopes: both(missingOIDCScope, common(asked.scopes, refused.scopes)),
    claims: both(missingOIDCClaims, common(asked.claims, refused.claims)),
    resources: Object.fromEntries(names.map((name) => [name, missingOf(name)] as const).filter(([, scopes]) => scopes.length > 0)),
  }
}

/** What a grant says was refused. */
export function refusedIn(grant: Payload | undefined): Access {
  const { openid, resources = {} } = (grant?.rejected ?? {}) as Part
  return {
    scopes: wordsOf(openid?.scope),
    claims: openid?.claims ?? [],
    resources: Object.fromEntries(Object.entries(resources).map(([name, scope]) => [name, wordsOf(scope)])),
  }
}

function claimsOf(parameter: unknown): string[] {
  if (typeof parameter !== 'string') return []
  const { userinfo, id_token } = JSON.parse(parameter) as { userinfo?: object; id_token?: object }
  const names = [...Object.keys(userinfo ?? {}), ...Object.keys(id_token ?? {})]
  return [...new Set(names)].filter((name) => CLAIMS.has(name))
}

function wordsOf(text: unknown): string[] {
  return typeof text === 'string' ? [...new Set(text.split(' '))].filter((word) => word !== '') : []
}

function both(some: readonly string[], others: readonly string[]): string[] {
  return [...new Set([...some, ...others])]
}

export function common(some: readonly string[], others: readonly string[]): string[] {
  return some.filter((each) => others.includes(each))
}
