import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RawCall } from '@gatehouse/rpc'
import { inspect } from '../core/oidc/introspect-token.ts'
import { comeAgain, isAway } from '../core/oidc/is-away.ts'
import { introspect } from './introspection.ts'
import type { OidcDeps } from './oidc-deps.ts'
import { finishWith, type JudgedClient } from './overrides/our-tokens.ts'
import { actAs, clientOfForm, readForm, sendJson, type TokenForm, withForm } from './token-requests.ts'

export interface TokenRequest {
  readonly tenant: string
  /** Below the mount, in small letters. */
  readonly path: string
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly call: RawCall
}

/** What the library is given in place of a token that is ours to judge: it is none, and no text of a client's is taken for one. */
const MARKER = 'judged-by-gatehouse'

/** What the library still has to answer. */
export type PassedOn = IncomingMessage

/**
 * Introspection and revocation. The library judges no signed token, and of those that it looks up it answers a third of what one core can: whoever proves
 * themselves by a secret is answered here, without it. Every other client is judged by the library, which is given a marker for the token, and answered
 * with the same words. Answers what is left to the library; undefined where the request is answered.
 */
export function tokenAnswers(deps: Pick<OidcDeps, 'acts' | 'look' | 'inspector' | 'issuers'>) {
  return async (asked: TokenRequest): Promise<PassedOn | undefined> => {
    const form = await readForm(asked.request)
    if (form === undefined) return asked.request
    const { token } = form.fields
    if (typeof token !== 'string' || token === '') return withForm(asked.request, form.text)
    try {
      return await (asked.path === '/token/introspection' ? introspectOrPass(asked, form, token) : revokeOrPass(asked, form, token))
    } catch (error) {
      if (!isAway(error)) throw error
      sendJson(asked.response, 503, comeAgain)
      return undefined
    }
  }

  async function introspectOrPass(asked: TokenRequest, form: TokenForm, token: string): Promise<PassedOn | undefined> {
    const { tenant, request, response, call } = asked
    const issuer = deps.issuers.issuer(tenant)?.issuer ?? ''
    const answer = ({ clientId: client_id, isPublic, introspects: gatehouse_introspects }: JudgedClient) =>
      introspect(deps.look, { tenant, issuer, token, client: { client_id, isPublic, gatehouse_introspects } })
    const client = await clientOfForm(deps.acts, tenant, request, form)
    if (client === undefined) return finishWith(marked(request, form), answer)
    actAs(call, client)
    sendJson(response, 200, await answer({ clientId: client.client_id, isPublic: false, introspects: client.gatehouse_introspects }))
    return undefined
  }

  async function revokeOrPass(asked: TokenRequest, form: TokenForm, token: string): Promise<PassedOn | undefined> {
    const { tenant, request, response, call } = asked
    if (!token.includes('.')) return withForm(request, form.text)
    const revoke = async ({ clientId }: Pick<JudgedClient, 'clientId'>) => {
      const inspected = await inspect(deps.inspector, token)
      if (inspected !== undefined) await deps.acts.tokens.revoke(tenant, { clientId, token: inspected })
      return ''
    }
    const client = await clientOfForm(deps.acts, tenant, request, form)
    if (client === undefined) return finishWith(marked(request, form), revoke)
    actAs(call, client)
    await revoke({ clientId: client.client_id })
    response.writeHead(200, { 'content-length': 0 }).end()
    return undefined
  }
}

/** The same request with a token that the library knows nothing of. */
function marked(request: IncomingMessage, form: TokenForm): IncomingMessage {
  const fields = new URLSearchParams(form.text)
  fields.set('token', MARKER)
  return withForm(request, String(fields))
}
