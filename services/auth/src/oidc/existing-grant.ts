import type { Configuration, Grant, KoaContextWithOIDC } from 'oidc-provider'
import type { Consent } from '../core/oidc/oidc-parts.ts'
import { factsOf } from './client-facts.ts'
import { translated } from './error-of.ts'
import type { ProviderParts } from './oidc-deps.ts'

type GrantParts = Pick<ProviderParts, 'acts' | 'tenant'>

/** What a grant gains of a request without anybody being asked. */
interface Known {
  readonly scopes: readonly string[]
  readonly claims: readonly string[]
  readonly resources: Readonly<Record<string, string>>
}

/**
 * The grant of this session for the client that asks: what was given in it, what is remembered of earlier ones, and for a first-party client whatever it asks
 * for. Only what is asked for now is added. Undefined where nothing of it was ever given: then the person is asked.
 */
export function existingGrant(parts: GrantParts): NonNullable<Configuration['loadExistingGrant']> {
  return async (context) => {
    const { oidc } = context
    const { client, session, account } = oidc
    if (client === undefined || session?.accountId === undefined || account === undefined) return undefined
    const id = oidc.result?.consent?.grantId ?? session.grantIdFor(client.clientId)
    const found = id === undefined ? undefined : await oidc.provider.Grant.find(id)
    const fitting = found?.accountId === account.accountId && found.clientId === client.clientId ? found : undefined
    const known = await knownFor(parts, context)
    if (fitting === undefined && known === undefined) return undefined
    const grant = fitting ?? new oidc.provider.Grant({ accountId: account.accountId, clientId: client.clientId })
    if (known !== undefined && add(grant, known)) {
      const of = { sessionId: session.uid, clientId: client.clientId }
      if (fitting === undefined) grant.jti = await translated(() => parts.acts.grants.ensure(parts.tenant, of))
      await grant.save()
    }
    return grant.jti === undefined ? undefined : grant
  }
}

async function knownFor({ acts, tenant }: GrantParts, context: KoaContextWithOIDC): Promise<Known | undefined> {
  const { account, client } = context.oidc
  if (account === undefined || client === undefined) return undefined
  const asked = askedIn(context)
  if (factsOf(client).gatehouse_first_party) return asked
  const of = { userId: account.accountId, clientId: client.clientId }
  const remembered = await translated(() => acts.grants.consent.find(tenant, of))
  return remembered === undefined ? undefined : common(asked, remembered)
}

function askedIn({ oidc }: KoaContextWithOIDC): Known {
  const servers = Object.entries(oidc.resourceServers ?? {})
  const scopesOf = (available: ReadonlySet<string>) => [...oidc.requestParamScopes].filter((scope) => available.has(scope)).join(' ')
  return {
    scopes: [...oidc.requestParamOIDCScopes],
    claims: [...oidc.requestParamClaims],
    resources: Object.fromEntries(servers.map(([indicator, { scopes }]) => [indicator, scopesOf(scopes)])),
  }
}

function common(asked: Known, remembered: Consent): Known | undefined {
  const scopes = asked.scopes.filter((scope) => remembered.scopes.includes(scope))
  const claims = asked.claims.filter((claim) => remembered.claims.includes(claim))
  const resources = Object.entries(asked.resources).flatMap(([indicator, wanted]) => {
    const given = (remembered.resources[indicator] ?? '').split(' ')
    const both = wanted.split(' ').filter((scope) => scope !== '' && given.includes(scope))
    return both.length === 0 ? [] : [[indicator, both.join(' ')] as const]
  })
  const nothing = scopes.length === 0 && claims.length === 0 && resources.length === 0
  return nothing ? undefined : { scopes, claims, resources: Object.fromEntries(resources) }
}

/** Whether the grant is another one for it. */
function add(grant: Grant, { scopes, claims, resources }: Known): boolean {
  const before = JSON.stringify([grant.openid, grant.resources])
  if (scopes.length > 0) grant.addOIDCScope([...scopes])
  if (claims.length > 0) grant.addOIDCClaims([...claims])
  for (const [indicator, scope] of Object.entries(resources)) if (scope !== '') grant.addResourceScope(indicator, scope)
  return grant.jti === undefined || JSON.stringify([grant.openid, grant.resources]) !== before
}
