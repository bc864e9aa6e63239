import type Provider from 'oidc-provider'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { type Client, factsOf } from '../client-facts.ts'
import { idTokenAlgorithms } from '../configuration.ts'

/** What the library's types leave out of its models. */
interface IdToken {
  readonly ctx?: KoaContextWithOIDC
  readonly client?: Client
  scope?: string
  payload(): Promise<object>
}

/** The scope of an ID token whose claims are to be had at the userinfo endpoint. */
const ALONE = 'openid'

/** Programs that never ask the userinfo endpoint read in the ID token what the scopes of the access token beside it say, where their client is set so. */
export function claimsInIdTokens(provider: Provider): void {
  const { prototype } = (provider as unknown as { readonly IdToken: { readonly prototype: IdToken } }).IdToken
  const { payload } = prototype
  prototype.payload = function payloadWithClaims() {
    const granted = this.ctx?.oidc.entities.AccessToken?.scope
    if (this.scope === ALONE && granted !== undefined && this.client !== undefined && factsOf(this.client).gatehouse_claims_in_id_token)
      this.scope = granted
    return payload.call(this)
  }
}

/** Discovery names what a client can have, and not what the tenant's keys can do at the moment: the first client that asks for RS256 has its key made. */
export function tellAlgorithms(provider: Provider): void {
  provider.use(async (context, next) => {
    await next()
    const body: unknown = context.body
    if (typeof body === 'object' && body !== null && 'id_token_signing_alg_values_supported' in body)
      context.body = { ...body, id_token_signing_alg_values_supported: idTokenAlgorithms }
  })
}
