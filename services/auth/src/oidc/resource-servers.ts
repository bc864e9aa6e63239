import { errors, type KoaContextWithOIDC, type ResourceServer } from 'oidc-provider'
import { type Client, factsOf } from './client-facts.ts'
import { translated } from './error-of.ts'
import type { ProviderParts } from './oidc-deps.ts'

/** Verifiers of ours refuse a token that lives longer, and those outside keep revocations no longer. */
const LONGEST_JWT_SECONDS = 600

/** The resource that a client named, where one is registered and open to it. Its tokens are JWTs: whoever asks for none gets an opaque one. */
export function resourceServerOf({ acts, tenant }: Pick<ProviderParts, 'acts' | 'tenant'>) {
  return async (_context: KoaContextWithOIDC, indicator: string, client: Client): Promise<ResourceServer> => {
    const resource = await translated(() => acts.clients.resource(tenant, factsOf(client), indicator))
    if (resource === undefined) throw new errors.InvalidTarget()
    return {
      scope: resource.scopes.join(' '),
      audience: resource.audience,
      accessTokenFormat: 'jwt',
      accessTokenTTL: Math.min(resource.lifetimeSeconds, LONGEST_JWT_SECONDS),
      jwt: { sign: { alg: 'ES256' } },
    }
  }
}
