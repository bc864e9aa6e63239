import { decodeJwt, decodeProtectedHeader, errors, jwtVerify } from 'jose'
import { LRUCache } from 'lru-cache'
import { type ClusterKey, type ClusterKeys, clusterKeys, type KeySource } from './cluster-keys.ts'
import { TokenInvalid } from './token-invalid.ts'
import type { WorkloadVerifier } from './workload.ts'
import type { WorkloadDirectory } from './workload-directory.ts'

/** A cluster whose service account tokens prove who a workload is. */
export interface Cluster {
  /** The `iss` of its tokens, exactly. */
  readonly issuer: string
  readonly keys: KeySource
  /** The one `aud` that tokens of the workloads named here must have; the service that is called unless given. */
  readonly audience?: string
  /** Workloads by their `sub`, such as `system:serviceaccount:gatehouse:user`. */
  readonly workloads: ReadonlyMap<string, string>
}

export interface ClusterVerifierOptions {
  /** The own name. */
  readonly self: string
  readonly clusters: readonly Cluster[]
  /** Other teams' workloads. */
  readonly directory?: Pick<WorkloadDirectory, 'find'>
  readonly now?: () => number
}

const toleranceSeconds = 5
/** Kubernetes renews a projected token long before; whoever has one for longer has it to keep it. */
const longestSeconds = 86_400

interface Verified {
  readonly issuer: string
  readonly subject: string
  readonly audience: string
  readonly kid: string
  readonly key: ClusterKey
  readonly expireTime: number
}

/** Verifies projected tokens of Kubernetes, or of whatever signs JWTs as it does: issuer, subject and audience have to be as configured or registered. */
export function createClusterVerifier({ self, clusters, directory, now = Date.now }: ClusterVerifierOptions): WorkloadVerifier {
  const byIssuer = new Map(clusters.map((cluster) => [cluster.issuer, { cluster, keys: clusterKeys(cluster.keys) }]))
  const seen = new LRUCache<string, Verified>({ max: 500 })

  /** Asked for each call: whoever is registered anew, or no more, has the same token. */
  function nameOf({ issuer, subject, audience }: Pick<Verified, 'issuer' | 'subject' | 'audience'>): string | undefined {
    const { cluster } = byIssuer.get(issuer) ?? {}
    const own = cluster?.workloads.get(subject)
    if (cluster && own !== undefined) return audience === (cluster.audience ?? self) ? own : undefined
    const registered = directory?.find(issuer, subject)
    return registered?.audience === audience ? registered.name : undefined
  }

  function known(token: string): string | undefined {
    const held = seen.get(token)
    if (!held || held.expireTime <= now() || !byIssuer.get(held.issuer)?.keys.holds(held.kid, held.key)) return undefined
    // Asked for its own sake: a key that the cluster took away is noticed.
    void byIssuer.get(held.issuer)?.keys.find(held.kid)
    return nameOf(held)
  }

  async function verifyAnew(token: string): Promise<Verified> {
    if (token.length > 8 * 1024) throw new TokenInvalid('the token is too long')
    const { kid, issuer } = peek(token)
    const keys: ClusterKeys | undefined = byIssuer.get(issuer)?.keys
    const key = await keys?.find(kid)
    if (!key) throw new TokenInvalid('the issuer or the key is unknown')
    const { payload } = await jwtVerify(token, key.key, {
      algorithms: [key.alg],
      issuer,
      requiredClaims: ['exp', 'iat', 'sub', 'aud'],
      clockTolerance: toleranceSeconds,
      currentDate: new Date(now()),
    })
    const { sub: subject = '', aud, exp = 0, iat = 0 } = payload
    const audience = Array.isArray(aud) && aud.length === 1 ? aud[0] : aud
    // A token that is good elsewhere too could be handed on from there.
    if (typeof audience !== 'string') throw new TokenInvalid('the token has more than one audience')
    if (exp - iat > longestSeconds) throw new TokenInvalid('the token lives for too long')
    return { issuer, subject, audience, kid, key, expireTime: (exp + toleranceSeconds) * 1000 }
  }

  return {
    known,
    async verify(token) {
      try {
        const name = known(token)
        if (name !== undefined) return name
        const verified = await verifyAnew(token)
        seen.set(token, verified)
        const found = nameOf(verified)
        if (found === undefined) throw new TokenInvalid('nobody is registered by this subject and audience')
        return found
      } catch (error) {
        if (error instanceof TokenInvalid) throw error
        throw new TokenInvalid(error instanceof errors.JOSEError ? error.code : 'not a token', { cause: error })
      }
    },
  }
}

function peek(token: string): { kid: string; issuer: string } {
  const { kid } = decodeProtectedHeader(token)
  const { iss } = decodeJwt(token)
  if (typeof kid !== 'string' || kid.length > 256 || typeof iss !== 'string') throw new TokenInvalid('the key or the issuer is not named')
  return { kid, issuer: iss }
}
