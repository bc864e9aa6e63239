import type Provider from 'oidc-provider'
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { ProviderParts } from '../oidc-deps.ts'
import { sessionSeen } from '../session-adapter.ts'

/** A code for a client is a use of the session that it was given in. */
export function codesAreUses(provider: Provider, { acts, tenant, log }: Pick<ProviderParts, 'acts' | 'tenant' | 'log'>): void {
  provider.use(async (context, next) => {
    await next()
    const { oidc } = context as unknown as Partial<KoaContextWithOIDC>
    // Where a code is redeemed there is no session of a browser.
    if (oidc?.entities.AuthorizationCode === undefined || oidc.session?.accountId === undefined) return
    const session = sessionSeen(context as unknown as KoaContextWithOIDC, oidc.session.uid)
    // The code is out: a use that could not be written down is no reason to take it back.
    if (session !== undefined)
      await acts.sessions.touch(tenant, session).catch((cause) => log.warn({ cause: String(cause) }, 'a use was not noted'))
  })
}
