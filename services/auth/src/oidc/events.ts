import { currentCall } from '@gatehouse/rpc'
import { type Meter, metrics } from '@opentelemetry/api'
import type Provider from 'oidc-provider'
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { OidcDeps } from './oidc-deps.ts'

interface Refused {
  readonly error: string
}

/** The routes of which the library tells what it refuses. */
const TOLD = [
  'authorization',
  'code_verification',
  'device_authorization',
  'device_resume',
  'end_session',
  'end_session_confirm',
  'grant',
  'introspection',
  'pushed_authorization_request',
  'registration_create',
  'revocation',
  'userinfo',
] as const

/** Faults go to the log with their cause; what was given and what was refused is counted. */
export function tellEvents(provider: Provider, { log }: Pick<OidcDeps, 'log'>, meter: Meter = metrics.getMeter('gatehouse.auth')): void {
  const grants = meter.createCounter('gatehouse.oidc.grants', {
    description: 'Answers of the token endpoint with tokens in them, by grant type',
  })
  const refusals = meter.createCounter('gatehouse.oidc.refusals', {
    description: 'Requests that OpenID Connect refused, by route and error',
  })

  // A dashboard that reads what appears with its first count says that something is wrong with it.
  grants.add(0, { grant_type: 'authorization_code' })

  const failed = (oidc: KoaContextWithOIDC['oidc'] | undefined, error: unknown): void => {
    const call = currentCall()
    // What was given up because nobody waits for it is no fault.
    if (call?.signal.aborted) return
    const cause = error instanceof Error ? error.stack : String(error)
    log.error({ route: oidc?.route, client: oidc?.client?.clientId, trace_id: call?.traceId, cause }, 'OpenID Connect failed')
  }
  provider.on('server_error', ({ oidc }: KoaContextWithOIDC, error: unknown) => failed(oidc, error))
  provider.on('grant.success', ({ oidc }: KoaContextWithOIDC) => grants.add(1, { grant_type: String(oidc.params?.grant_type) }))
  const events: NodeJS.EventEmitter = provider
  // What escapes the library itself would go to the console.
  events.on('error', (error: unknown, context: Partial<KoaContextWithOIDC> | undefined) => failed(context?.oidc, error))
  for (const route of TOLD)
    events.on(`${route}.error`, (_context: KoaContextWithOIDC, { error }: Refused) => refusals.add(1, { route, error }))
}
