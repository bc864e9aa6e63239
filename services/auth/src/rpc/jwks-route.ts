import type { IssuerDirectory } from '@gatehouse/identity'
import type { WebRoutes } from '@gatehouse/rpc'
import type { Deps } from '../core/deps.ts'
import { keysMaxAgeSeconds } from '../core/keys/rotate-keys.ts'

/** `/.well-known/jwks.json` of the tenant that the host names (RFC 7517): for verifiers outside the house. */
export function jwksRoute(deps: Pick<Deps, 'keys'>, issuers: IssuerDirectory): WebRoutes {
  return (app) => {
    app.get('/.well-known/jwks.json', async (request, reply) => {
      const host = request.headers.host ?? ''
      if (issuers.tenantOfHost(host) === undefined) await issuers.lookAgain()
      const tenant = issuers.tenantOfHost(host)
      if (tenant === undefined) return await reply.code(404).send({ error: 'There is no such host here.' })
      reply.header('cache-control', `public, max-age=${keysMaxAgeSeconds}`)
      return await reply.send({ keys: await deps.keys.publicKeys(tenant) })
    })
  }
}
