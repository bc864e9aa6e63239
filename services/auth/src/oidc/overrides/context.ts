import type Provider from 'oidc-provider'
import { type AskedAcr, answeredAcr } from '../acr.ts'

/** Cookies are `Secure` wherever pages live, on `http://localhost` too: browsers take them there, and the cookie jar would refuse to set them. */
export function secureCookies(provider: Provider): void {
  const create = provider.createContext
  provider.createContext = function createContext(this: Provider, request, response) {
    const context = create.call(this, request, response)
    context.cookies.secure = true
    return context
  } as typeof create
}

/** The `acr` that a client reads is one that it asked for, where the session reaches it. */
export function askedAcr(provider: Provider): void {
  const { prototype } = provider.OIDCContext
  const own = Object.getOwnPropertyDescriptor(prototype, 'acr')?.get
  if (own === undefined) throw new TypeError('the context of the library has no acr')
  Object.defineProperty(prototype, 'acr', {
    configurable: true,
    get(this: { readonly claims?: { readonly id_token?: { readonly acr?: AskedAcr | null } } }) {
      const acr: unknown = own.call(this)
      return typeof acr === 'string' ? answeredAcr(this.claims?.id_token?.acr, acr) : acr
    },
  })
}
