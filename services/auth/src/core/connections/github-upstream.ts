import { canonicalEmail } from '@gatehouse/rpc'
import type { ConnectionRow } from '../../store/connections/connections.ts'
import type { Deps } from '../deps.ts'
import { type Egress, EgressFailed } from '../egress/egress.ts'
import { openSecret } from './connection-secret.ts'
import { type UpstreamAssertion, UpstreamAway, UpstreamUnbelieved } from './upstream-assertion.ts'
import type { Upstream } from './upstreams.ts'

/** Whose subjects are GitHub's numbers: a login can be given to somebody else. */
export const githubIssuer = 'https://github.com'

const accept = 'application/vnd.github+json'

/** GitHub, or an Enterprise Server of its kind: OAuth, and an API that tells who the token belongs to. Neither signs anything: TLS says who answers. */
export function githubUpstream({ egress, keys }: Pick<Deps, 'keys'> & { readonly egress: Egress }): Upstream {
  return {
    async places({ issuer }) {
      return placesOf(issuer)
    },
    async url({ issuer, client_id, scopes }, { redirectUri, state, challenge, loginHint }) {
      const url = new URL(placesOf(issuer).authorizationEndpoint)
      url.search = String(
        new URLSearchParams({
          client_id,
          redirect_uri: redirectUri,
          scope: [...new Set(['read:user', 'user:email', ...scopes])].join(' '),
          state,
          code_challenge: challenge,
          code_challenge_method: 'S256',
          ...(loginHint !== '' && { login: loginHint }),
        }),
      )
      return url
    },
    async assertion(connection, { redirectUri, code, iss, verifier }) {
      const { tokenEndpoint, api } = placesOf(connection.issuer)
      // It says none today; one that is said has to be right (RFC 9207).
      if (iss !== '' && iss !== connection.issuer) throw new UpstreamUnbelieved('the answer is of another issuer')
      const redeemed = await objectFrom(egress, tokenEndpoint, 'token', {
        method: 'POST',
        headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({
          client_id: connection.client_id,
          client_secret: openSecret({ keys }, connection) ?? '',
          code,
          redirect_uri: redirectUri,
          code_verifier: verifier,
        }),
      })
      const token = redeemed.access_token
      // Refusals come as 200 with an `error`.
      if (typeof token !== 'string' || token === '') throw new UpstreamUnbelieved(`no token: ${String(redeemed.error).slice(0, 100)}`)
      const asOwner = { headers: { accept, authorization: `Bearer ${token}`, 'x-github-api-version': '2022-11-28' } }
      const [user, mails] = await Promise.all([
        objectFrom(egress, `${api}/user`, 'api', asOwner),
        jsonFrom(egress, `${api}/user/emails?per_page=100`, 'api', asOwner),
      ])
      return assertionOf(connection, user, mails)
    },
  }
}

function assertionOf({ issuer }: ConnectionRow, user: Readonly<Record<string, unknown>>, mails: unknown): UpstreamAssertion {
  const { id, name, login } = user
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || id <= 0) throw new UpstreamUnbelieved('the user has no number')
  const listed = Array.isArray(mails) ? (mails as ({ email?: unknown; primary?: unknown; verified?: unknown } | null)[]) : []
  const primary = listed.find((each) => each?.primary === true)
  const email = typeof primary?.email === 'string' ? (canonicalEmail(primary.email) ?? '') : ''
  const shown = [name, login].find((each) => typeof each === 'string' && each !== '')
  return {
    issuer,
    subject: String(id),
    email,
    emailVerified: email !== '' && primary?.verified === true,
    name: typeof shown === 'string' ? shown : '',
    locale: '',
    claims: user,
  }
}

function placesOf(issuer: string) {
  const at = { issuer, authorizationEndpoint: `${issuer}/login/oauth/authorize`, tokenEndpoint: `${issuer}/login/oauth/access_token` }
  return { ...at, api: issuer === githubIssuer ? 'https://api.github.com' : `${issuer}/api/v3` }
}

async function objectFrom(...asked: Parameters<typeof jsonFrom>): Promise<Readonly<Record<string, unknown>>> {
  const found = await jsonFrom(...asked)
  if (typeof found !== 'object' || found === null) throw new UpstreamUnbelieved('the answer is no object')
  return found as Record<string, unknown>
}

async function jsonFrom(egress: Egress, url: string, what: 'token' | 'api', request: Parameters<Egress>[1]): Promise<unknown> {
  try {
    const answer = await egress(url, request)
    if (answer.status >= 500) throw new EgressFailed(`${new URL(url).origin} answers ${answer.status}`)
    if (answer.status !== 200) throw new UpstreamUnbelieved(`${what} answers ${answer.status}`)
    return await answer.json()
  } catch (error) {
    if (error instanceof UpstreamUnbelieved) throw error
    throw new UpstreamAway(what, error)
  }
}
