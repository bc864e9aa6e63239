import { errors, jwtVerify } from 'jose'
import { LRUCache } from 'lru-cache'
import type { Person } from './caller.ts'
import type { IssuerDirectory, TrustedIssuer } from './issuers.ts'
import { personOfClaims } from './person-of-claims.ts'
import { TokenInvalid } from './token-invalid.ts'
import { readTokenText } from './token-text.ts'

/** Nothing can be verified yet, because no key was ever seen: the caller should try again. */
export class VerificationUnavailable extends Error {
  constructor() {
    super('the issuers cannot be asked')
    this.name = 'VerificationUnavailable'
  }
}

/** Claims of a token whose signature is good. */
export type Claims = Readonly<Record<string, unknown>>

/** What {@link createSignedTokens} is made of. */
export interface SignedTokensOptions {
  issuers: IssuerDirectory
  now: () => number
  remembered: number
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

interface Verified<T> {
  readonly token: T
  readonly tenant: string
  /** Milliseconds since 1970. */
  readonly expireTime: number
  /** What vouched for it. */
  readonly iss: string
  readonly kid: string
}

/**
 * Access tokens whose signature and times are good, whatever they are for. They are remembered by their whole text, never longer than they live or than
 * their key is trusted. `read` says what a token is to whoever asks, or refuses it.
 */
export function createSignedTokens<T>(
  { issuers, now, remembered }: SignedTokensOptions,
  read: (claims: Claims, person: Person) => T,
): { known(text: string): T | undefined; verify(text: string): Promise<T> } {
  const seen = new LRUCache<string, Verified<T>>({ max: remembered })

  async function verifyAnew(text: string): Promise<Verified<T>> {
    const { kid, tenant, claims } = readText(text)
    const { issuer, key } = await findKey(issuers, tenant, kid)
    try {
      await jwtVerify(text, key, {
        algorithms: ['ES256'],
        issuer: issuer.issuer,
        requiredClaims: ['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti', 'tid'],
        clockTolerance: toleranceSeconds,
        currentDate: new Date(now()),
      })
    } catch (error) {
      throw new TokenInvalid(error instanceof errors.JOSEError ? error.code : 'the token cannot be verified', { cause: error })
    }
    // An array that contains an audience would be good elsewhere too: ours name one audience and only that.
    if (typeof claims.aud !== 'string') throw new TokenInvalid('the audience is not one')
    const person = personOfClaims(claims)
    const token = read(claims, person)
    const issueTime = (claims.iat as number) * 1000
    if (issueTime > now() + clockLeewaySeconds * 1000) throw new TokenInvalid('the token was issued in the future')
    if (person.expireTime - issueTime > longestLifeSeconds * 1000) throw new TokenInvalid('the token lives for too long')
    return { token, tenant, expireTime: person.expireTime, iss: issuer.issuer, kid }
  }

  /** Somebody who stole a key chose what its tokens say: they end with the key. */
  function holds({ tenant, expireTime, iss, kid }: Verified<T>): boolean {
    if (expireTime + toleranceSeconds * 1000 <= now()) return false
    const issuer = issuers.issuer(tenant)
    return issuer?.issuer === iss && issuer.keys.has(kid)
  }

  return {
    known(text) {
      const verified = seen.get(text)
      return verified && holds(verified) ? verified.token : undefined
    },
    async verify(text) {
      let verified = seen.get(text)
      if (!verified || !holds(verified)) {
        seen.delete(text)
        verified = await verifyAnew(text)
        seen.set(text, verified)
      }
      return verified.token
    },
  }
}

/** Refuses by default: what is not exactly a token of ours is not looked at any further. */
function readText(token: string): { kid: string; tenant: string; claims: Readonly<Record<string, unknown>> } {
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
