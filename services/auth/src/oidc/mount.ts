import type { IncomingMessage, ServerResponse } from 'node:http'
import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { commonRefusal, type RawAct, type RawCall } from '@gatehouse/rpc'
import { keysMaxAgeSeconds } from '../core/keys/rotate-keys.ts'
import { noteCall } from './calls.ts'
import { secondsToWait } from './limits.ts'
import type { OidcDeps } from './oidc-deps.ts'
import { PAGE_POLICY } from './page-policy.ts'
import { postAsGet } from './post-as-get.ts'
import type { Providers } from './providers.ts'
import { pathBelowMount, rewrite, routePath } from './tenant-request.ts'
import { tokenAnswers } from './token-answers.ts'

const TOKEN_PATHS: ReadonlySet<string> = new Set(['/token/introspection', '/token/revocation'])

/** Serves one request with the library: the exact host names the tenant, and what the client said about itself is overwritten. */
export function mount(deps: OidcDeps, providers: Providers): RawAct {
  const answerForTokens = tokenAnswers(deps)
  return async (request, response, call) => {
    const tenant = deps.issuers.tenantOfHost(call.host) ?? (await tenantOf(deps, call.host))
    const below = pathBelowMount(request.url ?? '')
    if (tenant === undefined || below === undefined) throw commonRefusal(ErrorReason.NOT_SERVED)
    call.setTenant(tenant)
    const path = routePath(below)
    if (path === '/jwks' && (request.method === 'GET' || request.method === 'HEAD')) return await sendKeys(deps, tenant, response)
    if (TOKEN_PATHS.has(path)) {
      // No stranger is counted where everybody has to say who they are.
      const left = await answerForTokens({ tenant, path, request, response, call })
      if (left !== undefined) await serve(providers, tenant, below, left, response, call)
      return
    }
    // What the browser asks for next is counted.
    if (await postAsGet(request, response, { issuer: deps.issuers.issuer(tenant)?.issuer ?? '', path })) return
    const wait = await secondsToWait(deps, { method: request.method ?? '', path, source: call.source })
    if (wait !== undefined) throw commonRefusal(ErrorReason.LIMIT_EXCEEDED, {}, { retryAfterSeconds: wait })
    await serve(providers, tenant, below, request, response, call)
  }
}

async function serve(
  providers: Providers,
  tenant: string,
  below: string,
  request: IncomingMessage,
  response: ServerResponse,
  call: RawCall,
): Promise<void> {
  const { handle, issuer } = await providers.of(tenant)
  rewrite(request, below, issuer, call.source)
  noteCall(request, call)
  response.setHeader('content-security-policy', PAGE_POLICY)
  await handle(request, response)
}

/** The keys under the issuer's own path: also those that this process cannot open, which the library would leave out. */
async function sendKeys({ keys }: Pick<OidcDeps, 'keys'>, tenant: string, response: ServerResponse): Promise<void> {
  const text = JSON.stringify({ keys: await keys.publicKeys(tenant) })
  response.setHeader('cache-control', `public, max-age=${keysMaxAgeSeconds}`)
  response.setHeader('access-control-allow-origin', '*')
  response.setHeader('content-type', 'application/jwk-set+json; charset=utf-8')
  response.setHeader('content-length', Buffer.byteLength(text))
  response.end(text)
}

/** The tenant whose host was called; of one that is new, after a look. */
export async function tenantOf({ issuers }: Pick<OidcDeps, 'issuers'>, host: string): Promise<string | undefined> {
  if (issuers.tenantOfHost(host) === undefined) await issuers.lookAgain()
  return issuers.tenantOfHost(host)
}
