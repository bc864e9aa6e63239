import Provider, { type KoaContextWithOIDC } from 'oidc-provider'

/** The request that the library is at work on; undefined outside of one, as where an interaction is answered. */
export function currentContext(): KoaContextWithOIDC | undefined {
  return Provider.ctx
}

/** The route of the request that the library is at work on. */
export function currentRoute(): string | undefined {
  return Provider.ctx?.oidc.route
}
