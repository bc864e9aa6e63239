import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import * as relying from 'openid-client'
import type { House } from './house.ts'
import { operate } from './operate.ts'

/** What came back to an app: tokens that `openid-client` took, or an error of the protocol. */
export interface CameBack {
  readonly method: string
  readonly claims?: relying.IDToken | undefined
  readonly tokens?: relying.TokenEndpointResponse
  readonly error?: string
}

/** Another program, on a server of its own, that signs people in through Gatehouse. */
export interface RelyingApp extends AsyncDisposable {
  readonly origin: string
  readonly id: string
  readonly config: relying.Configuration
  /** Where it sends a browser to sign in. */
  begin(more?: Record<string, string>): Promise<string>
  /** Where it sends a browser to sign out. */
  end(more?: Record<string, string>): string
  readonly last: () => CameBack
}

type Checks = Parameters<typeof relying.authorizationCodeGrant>[2]

/** Starts it on a free port, and registers it by the command that an operator has. */
export async function startApp({ local }: House, name: string, settings: object = {}): Promise<RelyingApp> {
  const id = name.toLowerCase()
  const asked = new Map<string, Checks>()
  const came: CameBack[] = []
  const server = createServer((request, response) => {
    void answer(request).then((title) => {
      response.writeHead(200, { 'content-type': 'text/html', 'content-security-policy': "default-src 'none'" })
      response.end(`<!doctype html><html lang="en"><title>${title}</title><h1>${title}</h1></html>`)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`
  const [callback, left] = [`${origin}/callback`, `${origin}/left`]
  const secret = await register(local, id, { name, redirectUris: [callback], postLogoutRedirectUris: [left], ...settings })
  const config = await relying.discovery(new URL(`${local.origin}/oidc`), id, undefined, relying.ClientSecretBasic(secret), {
    execute: [relying.allowInsecureRequests],
  })

  async function answer(request: IncomingMessage): Promise<string> {
    const url = new URL(request.url ?? '/', origin)
    if (url.pathname === '/left') return `${name} says goodbye`
    if (url.pathname !== '/callback') return name
    const method = request.method ?? ''
    const body = method === 'POST' ? await text(request) : undefined
    const state = new URLSearchParams(body ?? url.search).get('state') ?? ''
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    try {
      const answered = body === undefined ? url : new Request(url, { method, headers, body })
      const tokens = await relying.authorizationCodeGrant(config, answered, asked.get(state))
      came.push({ method, tokens, claims: tokens.claims() })
      return `Welcome to ${name}`
    } catch (error) {
      if (!(error instanceof relying.AuthorizationResponseError)) throw error
      came.push({ method, error: error.error })
      return `${name} got ${error.error}`
    }
  }

  return {
    origin,
    id,
    config,
    async begin(more = {}) {
      const pkceCodeVerifier = relying.randomPKCECodeVerifier()
      const [state, nonce] = [relying.randomState(), relying.randomNonce()]
      asked.set(state, { pkceCodeVerifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true })
      return relying.buildAuthorizationUrl(config, {
        redirect_uri: callback,
        scope: 'openid email',
        code_challenge: await relying.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: 'S256',
        state,
        nonce,
        ...more,
      }).href
    },
    end(more = {}) {
      const hint = came.findLast(({ tokens }) => tokens?.id_token !== undefined)?.tokens?.id_token ?? ''
      return relying.buildEndSessionUrl(config, { id_token_hint: hint, ...more }).href
    },
    last: () => came.at(-1) ?? { method: 'none' },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A program on a server unless the settings say otherwise; answers with its secret. */
export async function register(local: House['local'], id: string, settings: object): Promise<string> {
  const { out, failure } = await operate(
    local,
    'auth',
    'clients create',
    id,
    JSON.stringify({
      name: id,
      kind: 'CLIENT_KIND_WEB',
      grantTypes: ['CLIENT_GRANT_TYPE_AUTHORIZATION_CODE', 'CLIENT_GRANT_TYPE_REFRESH_TOKEN'],
      authMethod: 'CLIENT_AUTH_METHOD_CLIENT_SECRET_BASIC',
      ...settings,
    }),
  )
  if (failure !== undefined) throw new Error(failure)
  return out.trim()
}
