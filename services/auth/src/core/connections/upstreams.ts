import type { ConnectionRow } from '../../store/connections/connections.ts'
import type { Deps } from '../deps.ts'
import type { Egress } from '../egress/egress.ts'
import { githubUpstream } from './github-upstream.ts'
import { oidcUpstream } from './oidc-upstream.ts'
import type { UpstreamAssertion } from './upstream-assertion.ts'

/** What a browser is sent away with. */
export interface Departure {
  readonly redirectUri: string
  readonly state: string
  readonly nonce: string
  /** PKCE's, S256. */
  readonly challenge: string
  /** Empty where nobody typed an address. */
  readonly loginHint: string
}

/** What it comes back with, and what that is held against. */
export interface Arrival {
  readonly redirectUri: string
  readonly state: string
  readonly code: string
  /** Empty where the answer carries none. */
  readonly iss: string
  readonly nonce: string
  readonly verifier: string
}

/** Where a provider is. */
export interface UpstreamPlaces {
  readonly issuer: string
  readonly authorizationEndpoint: string
  readonly tokenEndpoint: string
}

/** One way to speak to providers. @throws UpstreamAway, UpstreamUnbelieved */
export interface Upstream {
  /** Read anew. */
  places(connection: ConnectionRow): Promise<UpstreamPlaces>
  url(connection: ConnectionRow, departure: Departure): Promise<URL>
  assertion(connection: ConnectionRow, arrival: Arrival): Promise<UpstreamAssertion>
}

/** The way to speak to each kind of provider. */
export type Upstreams = (kind: ConnectionRow['kind']) => Upstream

export function createUpstreams(deps: Pick<Deps, 'keys' | 'now'> & { readonly egress: Egress }): Upstreams {
  const ways = { oidc: oidcUpstream(deps), github: githubUpstream(deps) }
  return (kind) => {
    if (kind === 'saml') throw new TypeError('SAML is not spoken')
    return ways[kind]
  }
}
