import { createHash, randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { loopbackServer, type Question, type Reply } from './loopback-server.ts'

export type Claims = Record<string, unknown>

/** What the issuer does otherwise than it should, set by a test for the sign-ins that follow. */
export interface Lies {
  /** Of its ID tokens. */
  claims?: (claims: Claims) => Claims
  sign?: (claims: Claims) => string | Promise<string>
  /** In its discovery document. */
  discovery?: Claims
  /** In its answers to browsers. */
  iss?: string
  down?: boolean
}

/** A second issuer on loopback, which checks what a careful one checks: redirect URI, secret, PKCE, one use of a code. */
export interface UpstreamIssuer extends AsyncDisposable {
  readonly issuer: string
  readonly host: string
  /** Who is signed in there. */
  account: Claims
  lies: Lies
  /** Sends a browser there; answers where it is sent back to. */
  visit(url: string): Promise<URL>
}

export const upstreamClient = { id: 'gatehouse-at-idp', secret: 's3cret:with%reserved' }

interface Pending {
  readonly challenge: string
  readonly nonce: string
  readonly redirectUri: string
}

export async function openUpstreamIssuer(): Promise<UpstreamIssuer> {
  const { publicKey, privateKey } = await generateKeyPair('RS256')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' }
  const codes = new Map<string, Pending>()
  const tokens = new Map<string, Claims>()
  const upstream = { account: {} as Claims, lies: {} as Lies }

  async function token({ headers, form }: Question): Promise<Reply> {
    const pending = codes.get(form.get('code') ?? '')
    codes.delete(form.get('code') ?? '')
    const basic = Buffer.from((headers.authorization ?? '').slice('Basic '.length), 'base64').toString()
    const [id = '', secret = ''] = basic.split(':').map(decodeURIComponent)
    if (id !== upstreamClient.id || secret !== upstreamClient.secret) return { status: 401, json: { error: 'invalid_client' } }
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    if (pending?.challenge !== challenge || pending.redirectUri !== form.get('redirect_uri'))
      return { status: 400, json: { error: 'invalid_grant' } }
    const now = Math.floor(Date.now() / 1000)
    const honest = { iss: server.origin, aud: id, iat: now, exp: now + 300, nonce: pending.nonce, ...upstream.account }
    const claims = upstream.lies.claims?.(honest) ?? honest
    const sign =
      upstream.lies.sign ?? ((said: Claims) => new SignJWT(said).setProtectedHeader({ alg: 'RS256', kid: 'k1' }).sign(privateKey))
    const accessToken = randomUUID()
    tokens.set(accessToken, upstream.account)
    return { json: { access_token: accessToken, token_type: 'Bearer', expires_in: 300, id_token: await sign(claims) } }
  }

  function authorize({ url }: Question): Reply {
    const asked = url.searchParams
    const code = randomUUID()
    const redirectUri = asked.get('redirect_uri') ?? ''
    codes.set(code, { challenge: asked.get('code_challenge') ?? '', nonce: asked.get('nonce') ?? '', redirectUri })
    const location = new URL(redirectUri)
    location.search = String(new URLSearchParams({ code, state: asked.get('state') ?? '', iss: upstream.lies.iss ?? server.origin }))
    return asked.get('code_challenge_method') === 'S256' ? { location } : { status: 400, json: { error: 'invalid_request' } }
  }

  const server = await loopbackServer(async (question): Promise<Reply> => {
    if (upstream.lies.down) return { status: 503, json: {} }
    switch (question.url.pathname) {
      case '/.well-known/openid-configuration':
        return {
          json: {
            issuer: server.origin,
            authorization_endpoint: `${server.origin}/auth`,
            token_endpoint: `${server.origin}/token`,
            userinfo_endpoint: `${server.origin}/userinfo`,
            jwks_uri: `${server.origin}/jwks`,
            id_token_signing_alg_values_supported: ['RS256', 'HS256', 'none'],
            authorization_response_iss_parameter_supported: true,
            ...upstream.lies.discovery,
          },
        }
      case '/jwks':
        return { json: { keys: [jwk] } }
      case '/auth':
        return authorize(question)
      case '/token':
        return await token(question)
      case '/userinfo': {
        const account = tokens.get((question.headers.authorization ?? '').slice('Bearer '.length))
        return account ? { json: account } : { status: 401, json: {} }
      }
      default:
        return { status: 404, json: {} }
    }
  })
  return Object.assign(upstream, {
    issuer: server.origin,
    host: server.host,
    async visit(url: string) {
      const answer = await fetch(url, { redirect: 'manual' })
      return new URL(answer.headers.get('location') ?? 'about:blank')
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  })
}
