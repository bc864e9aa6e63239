import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider from 'oidc-provider'
import { answerParent, type CommonActs } from './answer-parent.ts'

/** The library that we mount, as its documentation sets it up: its own store in memory, one client, and nothing of ours. */
export interface BareProviderActs extends CommonActs {
  listen(client: { readonly id: string; readonly secret: string }): Promise<number>
}

answerParent<Omit<BareProviderActs, 'usage'>>({
  async listen({ id, secret }) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const jwk = { ...privateKey.export({ format: 'jwk' }), kid: 'bench', alg: 'ES256', use: 'sig' }
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const provider = new Provider(`http://127.0.0.1:${port}`, {
      jwks: { keys: [jwk as never] },
      clients: [
        {
          client_id: id,
          client_secret: secret,
          redirect_uris: [],
          response_types: [],
          grant_types: ['client_credentials'],
          id_token_signed_response_alg: 'ES256',
        },
      ],
      cookies: { keys: ['bench'] },
      enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
      scopes: ['openid', 'read'],
      ttl: { ClientCredentials: 600 },
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        introspection: { enabled: true },
        resourceIndicators: {
          enabled: true,
          // Who asks for no resource gets a token that is looked up, as with us.
          defaultResource: () => [] as never,
          getResourceServerInfo: (_, indicator) => ({
            scope: 'read',
            audience: indicator,
            accessTokenFormat: 'jwt',
            accessTokenTTL: 600,
            jwt: { sign: { alg: 'ES256' } },
          }),
        },
      },
    })
    server.on('request', provider.callback())
    return port
  },
})
