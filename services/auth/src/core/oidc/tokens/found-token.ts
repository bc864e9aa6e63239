import type { InspectedToken } from '@gatehouse/identity'
import type { TokenRow } from '../../../store/oidc/token-states.ts'
import type { Payload } from '../oidc-parts.ts'

/** A living token, whoever asks. */
export interface FoundToken {
  readonly kind: 'access' | 'refresh'
  /** The client of OpenID Connect that it was given to; undefined of a token of our own sign-in, and of a service account's. */
  readonly clientId: string | undefined
  /** Undefined of a token that names no audience: one that is looked up, or for the client itself. */
  readonly audience: string | undefined
  /** It says who somebody is as its client alone knows them. */
  readonly isPairwise?: true
  /** What it says about itself, by the names of RFC 7662 and RFC 9068. */
  readonly claims: Payload
  readonly scope: readonly string[]
  /** Of the key that whoever presents it has to prove. */
  readonly keyThumbprint: string | undefined
}

/** What the library keeps of a token that is looked up. */
interface KeptToken {
  readonly accountId?: string
  readonly clientId: string
  readonly grantId?: string
  readonly sessionUid?: string
  readonly expiresWithSession?: boolean
  readonly scope?: string
  readonly aud?: unknown
  readonly exp: number
  readonly iat: number
  readonly jkt?: string
  readonly acr?: string
  readonly authTime?: number
  readonly extra?: Payload
}

/** A token that is looked up. */
export function foundByHash({ kind, payload }: TokenRow, tenant: string): FoundToken {
  const kept = JSON.parse(payload) as KeptToken
  const { accountId, clientId, grantId, scope = '', aud, exp, iat, jkt, extra } = kept
  const isRefresh = kind === 'RefreshToken'
  const ofGrant = grantId === undefined ? undefined : { gid: grantId, sid: kept.expiresWithSession ? kept.sessionUid : grantId }
  return {
    kind: isRefresh ? 'refresh' : 'access',
    clientId,
    audience: typeof aud === 'string' ? aud : undefined,
    scope: scopesIn(scope),
    keyThumbprint: jkt,
    claims: {
      sub: accountId ?? clientId,
      client_id: clientId,
      tid: tenant,
      ...ofGrant,
      ...(isRefresh && { acr: kept.acr, auth_time: kept.authTime }),
      ...extra,
      ...(typeof aud === 'string' && { aud }),
      ...(scope !== '' && { scope }),
      exp,
      iat,
      ...(!isRefresh && { token_type: jkt === undefined ? 'Bearer' : 'DPoP' }),
      ...(jkt !== undefined && { cnf: { jkt } }),
    },
  }
}

/** Claims that say nothing to whoever asks what a token is good for. */
const ownClaims: ReadonlySet<string> = new Set(['iss', 'gen', 'permissions', 'permissions_time'])

const read = new WeakMap<InspectedToken, FoundToken>()

/** A token that says everything itself: it is read once, for as long as its inspector remembers it. */
export function foundSigned(token: InspectedToken): FoundToken {
  const known = read.get(token)
  if (known !== undefined) return known
  const found = readSigned(token)
  read.set(token, found)
  return found
}

function readSigned({ person, audience, scope, keyThumbprint, claims }: InspectedToken): FoundToken {
  // Clients get theirs under a grant, or for themselves. Our own sign-in names clients too, which are none of OpenID Connect.
  const isOfClient = person.grantId !== undefined || (person.sessionId === '' && person.id === person.clientId)
  return {
    kind: 'access',
    clientId: isOfClient ? person.clientId : undefined,
    audience,
    scope,
    keyThumbprint,
    claims: {
      ...Object.fromEntries(Object.entries(claims).filter(([name]) => !ownClaims.has(name))),
      token_type: keyThumbprint === undefined ? 'Bearer' : 'DPoP',
    },
  }
}

function scopesIn(scope: string): string[] {
  return scope === '' ? [] : scope.split(' ')
}
