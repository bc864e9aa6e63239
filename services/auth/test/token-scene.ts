import assert from 'node:assert/strict'
import { ClientAuthMethod, ClientGrantType, ClientKind, type ClientSettings } from '@gatehouse/contracts/gatehouse/auth/v1/client_pb'
import * as relying from 'openid-client'
import { addResource } from '../src/core/oidc/clients/resources.ts'
import { createOidcActs } from '../src/core/oidc/oidc-acts.ts'
import { ISSUER, type OidcHouse } from './oidc-house.ts'
import { someClient } from './oidc-scene.ts'
import type { Visitor } from './page-visitor.ts'
import { CALLBACK, codeFor } from './relying-party.ts'
import { signSomebodyIn, somebody } from './sign-somebody-in.ts'

export interface MadeClient {
  readonly id: string
  readonly secret: string
  readonly relying: relying.Configuration
}

export interface Tokens {
  readonly userId: string
  readonly sessionId: string
  readonly browser: Visitor
  readonly access: string
  readonly refresh: string
  readonly id: string
}

export interface TokenScene {
  client(given?: Partial<Omit<ClientSettings, '$typeName'>>): Promise<MadeClient>
  /** Signs somebody in to the client, which asks for whatever is said. */
  tokensOf(client: MadeClient, more?: Record<string, string>, options?: { readonly DPoP?: relying.DPoPHandle }): Promise<Tokens>
  /** A token of the client itself. */
  ownToken(client: MadeClient, more?: Record<string, string>): Promise<string>
  post(path: string, form: Record<string, string> | string, client?: MadeClient): Promise<Response>
  /** What the client is told of a token. */
  introspect(client: MadeClient, token: string): Promise<Record<string, unknown>>
}

export const forOrders = { resource: 'urn:orders', scope: 'openid read' }

/** Clients that ask for tokens of `urn:orders` and for others, over a house whose acts are real. */
export async function openTokenScene(house: OidcHouse): Promise<TokenScene> {
  const { deps } = house.opened
  const acts = createOidcActs(deps)
  const resource = { tenant: 'default', audience: 'orders-api', scopes: ['read', 'write'], lifetimeSeconds: 600 }
  await addResource(deps, { ...resource, resource: 'urn:orders' })
  await addResource(deps, { ...resource, resource: 'urn:bills', audience: 'bills-api' })

  const user = await somebody(house.opened)

  return {
    async client(given = {}) {
      const { clientId: id, secret } = await someClient(deps, {
        kind: ClientKind.WEB,
        firstParty: true,
        redirectUris: [CALLBACK],
        grantTypes: [ClientGrantType.AUTHORIZATION_CODE, ClientGrantType.REFRESH_TOKEN, ClientGrantType.CLIENT_CREDENTIALS],
        resources: ['urn:orders', 'urn:bills'],
        ...given,
      })
      const isPost = given.authMethod === ClientAuthMethod.CLIENT_SECRET_POST
      const auth = secret === '' ? relying.None() : isPost ? relying.ClientSecretPost(secret) : relying.ClientSecretBasic(secret)
      return { id, secret, relying: await house.client(id, auth) }
    },
    async tokensOf(client, more = {}, options = {}) {
      const sessionId = (await signSomebodyIn(deps, user)).session?.id ?? ''
      const browser = house.visitor()
      browser.cookies.set('__Host-gatehouse-oidc', acts.sessions.cookieOf('default', sessionId, 0))
      const { callback, checks } = await codeFor(browser, client.relying, more)
      const { resource: target } = more
      const tokens = await relying.authorizationCodeGrant(client.relying, callback, checks, target ? { resource: target } : {}, options)
      const { access_token: access, refresh_token: refresh = '', id_token: id = '' } = tokens
      return { userId: user.id, sessionId, browser, access, refresh, id }
    },
    async ownToken(client, more = {}) {
      return (await relying.clientCredentialsGrant(client.relying, more)).access_token
    },
    post,
    async introspect(client, token) {
      const answer = await post('/token/introspection', { token }, client)
      assert.equal(answer.status, 200, await answer.clone().text())
      assert.match(answer.headers.get('cache-control') ?? '', /no-store/)
      return (await answer.json()) as Record<string, unknown>
    },
  }

  async function post(path: string, form: Record<string, string> | string, client?: MadeClient): Promise<Response> {
    const headers: Record<string, string> = { 'content-type': 'application/x-www-form-urlencoded' }
    const fields = typeof form === 'string' ? form : String(new URLSearchParams(form))
    const isPublic = client !== undefined && client.secret === ''
    if (client !== undefined && !isPublic) headers.authorization = `Basic ${btoa(`${client.id}:${client.secret}`)}`
    const body = isPublic ? `${fields}&client_id=${client.id}` : fields
    return await house.visitor().visit(ISSUER + path, { method: 'POST', headers, body })
  }
}
