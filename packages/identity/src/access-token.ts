import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose'
import { LRUCache } from 'lru-cache'
import type { Person } from './caller.ts'
import type { IssuerDirectory, TrustedIssuer } from './issuers.ts'
import type { RevocationList } from './revocations.ts'
import { Strength, strengthOfAcr } from './strength.ts'

/** The token is not one of ours for this audience, or no longer good. `message` says why, for logs only: callers are told nothing. */
export class TokenInvalid extends Error {
  constructor(why: string, options?: ErrorOptions) {
    super(why, options)
    this.name = 'TokenInvalid'
  }
}

/** Nothing can be verified yet, because no key was ever seen: the caller should try again. */
export class VerificationUnavailable extends Error {
  constructor() {
    super('the issuers cannot be asked')
    this.name = 'VerificationUnavailable'
  }
}

/** Options of {@link createAccessTokenVerifier}. */
export interface AccessTokenVerifierOptions {
  /** The `aud` that tokens must have, exactly: `gatehouse` for our services. */
  audience: string
  issuers: IssuerDirectory
  /** Sessions that ended; without it a token lives as long as it says. */
  revocations?: RevocationList
  /** Milliseconds since 1970; `Date.now` unless given. */
  now?: () => number
  /** How many verified tokens are remembered; 5,000 unless given. */
  remembered?: number
}

/** Verifies access tokens: JWTs of RFC 9068 by the rules of RFC 8725. */
export interface AccessTokenVerifier {
  /**
   * @throws {@link TokenInvalid} when the token is not good.
   * @throws {@link VerificationUnavailable} when no key was ever seen, or an unknown one cannot be asked for.
   */
  verify(token: string): Promise<Person>
  /** What {@link verify} would answer without a wait: the person of a token that was verified and is still good; undefined tells nothing. */
  known?(token: string): Person | undefined
}

const longest = 8 * 1024
const toleranceSeconds = 5
const claimPattern = /^[\x21-\x7e]{1,256}$/

interface Verified {
  readonly person: Person
  /** What vouched for it. */
  readonly iss: string
  readonly kid: string
}

/** A verifier of access tokens. Verified tokens are remembered by their whole text, never longer than they live or than their key is trusted. */
export function createAccessTokenVerifier(options: AccessTokenVerifierOptions): AccessTokenVerifier {
  const { audience, issuers, revocations, now = Date.now, remembered = 5_000 } = options
  const seen = new LRUCache<string, Verified>({ max: remembered })

  async function verifyAnew(token: string): Promise<Verified> {
    if (token.length > longest) throw new TokenInvalid('the token is too long')
    const { kid, tenant } = peek(token)
    const { issuer, key } = await findKey(issuers, tenant, kid)
    let payload: JWTPayload
    try {
      ;({ payload } = await jwtVerify(token, key, {
        algorithms: ['ES256'],
        typ: 'at+jwt',
        issuer: issuer.issuer,
        requiredClaims: ['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti', 'tid'],
        clockTolerance: toleranceSeconds,
        currentDate: new Date(now()),
      }))
    } catch (error) {
      throw new TokenInvalid(error instanceof errors.JOSEError ? error.code : 'the token cannot be verified', { cause: error })
    }
    // An array that contains our audience would be good elsewhere too: ours name one audience and only that.
    if (payload.aud !== audience) throw new TokenInvalid('the audience is another')
    return { person: personOf(payload), iss: issuer.issuer, kid }
  }

  /** Somebody who stole a key chose how long its tokens live: they end with the key. */
  function holds({ person, iss, kid }: Verified): boolean {
    if (person.expireTime + toleranceSeconds * 1000 <= now()) return false
    const issuer = issuers.issuer(person.tenant)
    return issuer?.issuer === iss && issuer.keys.has(kid)
  }

  return {
    known(token) {
      const verified = seen.get(token)
      if (!verified || !holds(verified)) return undefined
      const { sessionId, generation } = verified.person
      return sessionId !== '' && revocations?.isRevoked(sessionId, generation) ? undefined : verified.person
    },
    async verify(token) {
      let verified = seen.get(token)
      if (!verified || !holds(verified)) {
        seen.delete(token)
        verified = await verifyAnew(token)
        seen.set(token, verified)
      }
      const { person } = verified
      if (person.sessionId !== '' && revocations?.isRevoked(person.sessionId, person.generation))
        throw new TokenInvalid('the session has ended')
      return person
    },
  }
}

function peek(token: string): { kid: string; tenant: string } {
  try {
    const header = decodeProtectedHeader(token)
    const { tid } = decodeJwt(token)
    if (header.alg !== 'ES256' || typeof header.kid !== 'string' || header.kid.length > 128 || typeof tid !== 'string')
      throw new TokenInvalid('not a token of ours')
    return { kid: header.kid, tenant: tid }
  } catch (error) {
    throw error instanceof TokenInvalid ? error : new TokenInvalid('not a token', { cause: error })
  }
}

async function findKey(issuers: IssuerDirectory, tenant: string, kid: string) {
  for (const look of [true, false]) {
    const issuer: TrustedIssuer | undefined = issuers.issuer(tenant)
    const key = issuer?.keys.get(kid)
    if (issuer && key) return { issuer, key }
    // A key that was made a moment ago: the directory bounds how often a stranger's made-up kid can cause a look.
    if (look) await issuers.lookAgain()
  }
  // Whoever was signed in a moment ago with a new key is no stranger because auth is away.
  if (!issuers.known || issuers.failing) throw new VerificationUnavailable()
  throw new TokenInvalid('the key or the tenant is unknown')
}

function personOf(payload: JWTPayload): Person {
  const {
    sub,
    tid,
    sid,
    client_id: clientId,
    exp,
    iat,
    jti,
    permissions,
    permissions_time: readTime,
    gen = 0,
    auth_time: authTime = 0,
    acr,
  } = payload
  for (const claim of [sub, tid, clientId, jti])
    if (typeof claim !== 'string' || !claimPattern.test(claim)) throw new TokenInvalid('a claim has the wrong form')
  if (sid !== undefined && (typeof sid !== 'string' || !claimPattern.test(sid))) throw new TokenInvalid('the sid has the wrong form')
  if (permissions !== undefined && !(Array.isArray(permissions) && permissions.every((each) => typeof each === 'string')))
    throw new TokenInvalid('the permissions have the wrong form')
  if (!isCount(gen) || !isCount(authTime)) throw new TokenInvalid('gen or auth_time has the wrong form')
  return {
    kind: sid === undefined ? 'service_account' : 'person',
    id: sub as string,
    tenant: tid as string,
    sessionId: (sid as string | undefined) ?? '',
    generation: gen,
    strength: sid === undefined ? Strength.UNSPECIFIED : strengthOfAcr(acr),
    authTime: authTime * 1000,
    clientId: clientId as string,
    permissions: new Set((permissions as string[] | undefined) ?? []),
    permissionsTime: typeof readTime === 'number' ? readTime : (iat as number) * 1000,
    expireTime: (exp as number) * 1000,
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
