import type Provider from 'oidc-provider'
import type { KoaContextWithOIDC } from 'oidc-provider'

const OWN = "form-action 'self'"

/** A form that leaves for the client, or whose answer sends it there, may do that: browsers check the redirects of a form too. */
export function formsToClients(provider: Provider): void {
  provider.use(async (context, next) => {
    await next()
    const { oidc } = context as unknown as KoaContextWithOIDC
    const target = oidc === undefined ? undefined : targetOf(context as unknown as KoaContextWithOIDC)
    const policy = context.response.get('content-security-policy')
    if (target !== undefined && policy.includes(OWN)) context.set('content-security-policy', policy.replace(OWN, `${OWN} ${target}`))
  })
}

function targetOf({ oidc, type }: KoaContextWithOIDC & { type?: string }): string | undefined {
  if (oidc.client === undefined || !/html/.test(type ?? '')) return undefined
  if (oidc.params?.response_mode === 'form_post') return sourceOf(oidc.params.redirect_uri)
  return oidc.route === 'end_session' ? sourceOf(oidc.session?.state?.postLogoutRedirectUri) : undefined
}

function sourceOf(uri: unknown): string | undefined {
  if (typeof uri !== 'string' || !URL.canParse(uri)) return undefined
  const { origin, protocol } = new URL(uri)
  // Schemes of native apps have no origin.
  return origin === 'null' ? protocol : origin
}
