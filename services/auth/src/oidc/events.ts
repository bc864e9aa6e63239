import { currentCall } from '@gatehouse/rpc'
import { metrics } from '@opentelemetry/api'
import type Provider from 'oidc-provider'
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { OidcDeps } from './oidc-deps.ts'

interface Refused {
  readonly error: string
}

/** Faults go to the log with their cause; what was given and what was refused is counted. */
export function tellEvents(provider: Provider, { log }: Pick<OidcDeps, 'log'>): void {
  const meter = metrics.getMeter('gatehouse.auth')
  const grants = meter.createCounter('gatehouse.oidc.grants', {
    description: 'Answers of the token endpoint with tokens in them, by grant type',
  })
  const refusals = meter.createCounter('gatehouse.oidc.refusals', {
    description: 'Requests that OpenID Connect refused, by route and error',
  })

  provider.on('server_error', ({ oidc }: KoaContextWithOIDC, error: unknown) => {
    const cause = error instanceof Error ? error.stack : String(error)
    log.error({ route: oidc?.route, client: oidc?.client?.clientId, trace_id: currentCall()?.traceId, cause }, 'OpenID Connect failed')
  })
  provider.on('grant.success', ({ oidc }: KoaContextWithOIDC) => grants.add(1, { grant_type: String(oidc.params?.grant_type) }))
  const refused = ({ oidc }: KoaContextWithOIDC, { error }: Refused) => refusals.add(1, { route: oidc.route, error })
  const told = ['grant', 'authorization', 'introspection', 'revocation', 'userinfo', 'end_session', 'device_authorization'] as const
  for (const each of told) (provider as NodeJS.EventEmitter).on(`${each}.error`, refused)
}
