import { errors, jwtVerify } from 'jose'
import { LRUCache } from 'lru-cache'
import type { Person } from './caller.ts'
import type { IssuerDirectory, TrustedIssuer } from './issuers.ts'
import { personOfClaims } from './person-of-claims.ts'
import type { RevocationList } from './revocations.ts'
import { TokenInvalid } from './token-invalid.ts'
import { readTokenText } from './token-text.ts'

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
  /** Sessions that ended; without it a token lives as long as it says, ten minutes at most. */
  revocations?: Pick<RevocationList, 'isRevoked' | 'onChange'>
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
  /** Calls back when the person's session has ended or was raised: their token is to be verified again. Answers how to stop that. */
  onChange?(person: Person, changed: () => void): () => void
}

const longest = 8 * 1024
/** What our issuers put into a header. All else asks for something: keys from elsewhere (`jku`, `jwk`, `x5u`, `x5c`), another coding (`b64`, `zip`), more (`crit`). */
const headerMembers: ReadonlySet<string> = new Set(['alg', 'typ', 'kid'])
/** RFC 9068 section 4. */
const types: ReadonlySet<unknown> = new Set(['at+jwt', 'application/at+jwt'])
const toleranceSeconds = 5
/** The clock of another team's machine may be behind auth's by this much. */
const clockLeewaySeconds = 60
/** Longer-lived ones are not ours, or are made to be kept by somebody who stole a key. */
const longestLifeSeconds = 600

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
    const { kid, tenant, claims } = read(token)
    const { issuer, key } = await findKey(issuers, tenant, kid)
    try {
      await jwtVerify(token, key, {
        algorithms: ['ES256'],
        issuer: issuer.issuer,
        requiredClaims: ['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti', 'tid'],
        clockTolerance: toleranceSeconds,
        currentDate: new Date(now()),
      })
    } catch (error) {
      throw new TokenInvalid(error instanceof errors.JOSEError ? error.code : 'the token cannot be verified', { cause: error })
    }
    return { person: personOf(claims), iss: issuer.issuer, kid }
  }

  /** Of a token whose signature is good, what it says has to be for us and for now. */
  function personOf(claims: Readonly<Record<string, unknown>>): Person {
    // An array that contains our audience would be good elsewhere too: ours name one audience and only that.
    if (claims.aud !== audience) throw new TokenInvalid('the audience is another')
    // Bound to a key whose proof nobody here has checked (RFC 7800): without it, whoever found the token would be the person.
    if (claims.cnf !== undefined) throw new TokenInvalid('the token is bound to a key')
    const person = personOfClaims(claims)
    const issueTime = (claims.iat as number) * 1000
    if (issueTime > now() + clockLeewaySeconds * 1000) throw new TokenInvalid('the token was issued in the future')
    if (person.expireTime - issueTime > longestLifeSeconds * 1000) throw new TokenInvalid('the token lives for too long')
    return person
  }

  /** Somebody who stole a key chose what its tokens say: they end with the key. */
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
      // By the session and not by the text: a token has more spellings than one (the other `s` of its signature), its session has one.
      if (person.sessionId !== '' && revocations?.isRevoked(person.sessionId, person.generation))
        throw new TokenInvalid('the session has ended')
      return person
    },
    onChange: ({ sessionId }, changed) => revocations?.onChange(sessionId, changed) ?? (() => {}),
  }
}

/** Refuses by default: what is not exactly a token of ours is not looked at any further. */
function read(token: string): { kid: string; tenant: string; claims: Readonly<Record<string, unknown>> } {
  const text = token.length <= longest ? readTokenText(token) : undefined
  if (text === undefined) throw new TokenInvalid('not a token')
  const { alg, typ, kid } = text.header
  const { tid } = text.claims
  const isOurs = alg === 'ES256' && types.has(typ) && Object.keys(text.header).every((member) => headerMembers.has(member))
  if (!isOurs || typeof kid !== 'string' || kid.length > 128 || typeof tid !== 'string') throw new TokenInvalid('not a token of ours')
  return { kid, tenant: tid, claims: text.claims }
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
