import type { IncomingMessage, ServerResponse } from 'node:http'
import { LRUCache } from 'lru-cache'
import type Provider from 'oidc-provider'
import type { OidcDeps } from './oidc-deps.ts'

/** A provider that is ready to answer. */
export interface Built {
  readonly provider: Provider
  readonly issuer: URL
  readonly handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>
}

export interface Providers {
  /** That of the tenant with the keys that it has now. */
  of(tenant: string): Promise<Built>
}

/** A tenant's takes 25 KB and half a millisecond: one that is crowded out is made anew. */
const MOST = 1000

/**
 * One provider for each tenant and set of keys: the library reads its keys once, so a rotation replaces it whole. The library itself, 32 MB of it, is loaded
 * with the first request that needs it.
 */
export function createProviders(deps: OidcDeps): Providers {
  const built = new LRUCache<string, Promise<Built>>({ max: MOST })

  async function build(tenant: string, issuer: string, jwks: OidcKeys['jwks']): Promise<Built> {
    const { createProvider } = await import('./create-provider.ts')
    const provider = createProvider({ ...deps, tenant, issuer, jwks })
    return { provider, issuer: new URL(issuer), handle: provider.callback() }
  }

  return {
    async of(tenant) {
      const { issuer, jwks } = await deps.keys.oidcKeys(tenant)
      const key = JSON.stringify([tenant, issuer, jwks.map(({ kid }) => kid)])
      const known = built.get(key)
      if (known !== undefined) return await known
      const made = build(tenant, issuer, jwks)
      built.set(key, made)
      // What could not be made must not be answered again.
      made.catch(() => built.delete(key))
      return await made
    },
  }
}

type OidcKeys = Awaited<ReturnType<OidcDeps['keys']['oidcKeys']>>
