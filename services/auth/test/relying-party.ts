import assert from 'node:assert/strict'
import * as relying from 'openid-client'
import type { Visitor } from './page-visitor.ts'

export const CALLBACK = 'https://rp.example/callback'

/** What a relying party remembers of a request until its answer comes. */
export interface Asked {
  readonly url: URL
  readonly checks: {
    readonly pkceCodeVerifier: string
    readonly expectedState: string
    readonly expectedNonce: string
    readonly idTokenExpected: true
  }
}

/** A request for a code with PKCE, state and nonce. */
export async function ask(client: relying.Configuration, more: Record<string, string> = {}): Promise<Asked> {
  const { parameters, checks } = await paramsOf(more)
  return { url: relying.buildAuthorizationUrl(client, parameters), checks }
}

/** The same, pushed first (RFC 9126): the URL says nothing of it. */
export async function push(client: relying.Configuration, more: Record<string, string> = {}): Promise<Asked> {
  const { parameters, checks } = await paramsOf(more)
  return { url: await relying.buildAuthorizationUrlWithPAR(client, parameters), checks }
}

async function paramsOf(more: Record<string, string>) {
  const pkceCodeVerifier = relying.randomPKCECodeVerifier()
  const [state, nonce] = [relying.randomState(), relying.randomNonce()]
  const parameters = {
    redirect_uri: CALLBACK,
    scope: 'openid email',
    code_challenge: await relying.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state,
    nonce,
    ...more,
  }
  return { parameters, checks: { pkceCodeVerifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true as const } }
}

/** Where an answer sends the browser. */
export function sentTo(answer: Response): URL {
  return new URL(answer.headers.get('location') ?? 'about:blank')
}

/** Goes for a code with a browser, and answers with what comes back to the client. */
export async function codeFor(
  browser: Visitor,
  client: relying.Configuration,
  more: Record<string, string> = {},
): Promise<Asked & { readonly callback: URL }> {
  const asked = await ask(client, more)
  const answer = await browser.visit(String(asked.url))
  assert.equal(answer.status, 303)
  return { ...asked, callback: sentTo(answer) }
}
