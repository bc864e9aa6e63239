import { readFileSync } from 'node:fs'
import { decodeProtectedHeader } from 'jose'
import { type Cluster, createClusterVerifier } from './cluster-tokens.ts'
import { TokenInvalid } from './token-invalid.ts'
import { createWorkloadVerifier, type WorkloadVerifier, workloadTokenType } from './workload.ts'
import { keyFileIssuer, type WorkloadDirectory } from './workload-directory.ts'

/** Options of {@link createWorkloadVerifiers}. */
export interface WorkloadVerifiersOptions {
  readonly self: string
  readonly jwksFile: string
  /** Of WORKLOAD_CLUSTERS_FILE. */
  readonly clusters?: readonly Cluster[]
  readonly directory: Pick<WorkloadDirectory, 'find' | 'mayProve'>
  readonly now?: () => number
}

/** Believes both kinds of tokens: those that are made of key files, and those of the clusters that are configured. */
export function createWorkloadVerifiers(options: WorkloadVerifiersOptions): WorkloadVerifier {
  const { self, jwksFile, clusters = [], directory, now = Date.now } = options
  const byKeyFile = createWorkloadVerifier({ self, jwksFile, now })
  const byCluster = createClusterVerifier({ self, clusters, directory, now })
  const mayProve = (name: string) => directory.mayProve(name, keyFileIssuer)
  return {
    known(token) {
      const name = byKeyFile.known?.(token)
      if (name !== undefined) return mayProve(name) ? name : undefined
      return byCluster.known?.(token)
    },
    async verify(token) {
      if (clusters.length > 0 && typeOf(token) !== workloadTokenType) return await byCluster.verify(token)
      const name = await byKeyFile.verify(token)
      if (!mayProve(name)) throw new TokenInvalid('the workload is registered with another issuer')
      return name
    },
  }
}

function typeOf(token: string): string | undefined {
  try {
    return token.length > 8 * 1024 ? undefined : decodeProtectedHeader(token).typ
  } catch {
    return undefined
  }
}

interface ClusterInFile {
  readonly issuer?: unknown
  readonly jwks_file?: unknown
  readonly jwks_url?: unknown
  readonly audience?: unknown
  readonly workloads?: unknown
}

/**
 * Reads WORKLOAD_CLUSTERS_FILE: `{"clusters": [{"issuer": …, "jwks_file" or "jwks_url": …, "audience": …, "workloads": {"<sub>": "<name>"}}]}`.
 * @throws TypeError in a sentence where it says something else.
 */
export function readClusters(file: string): Cluster[] {
  const { clusters } = JSON.parse(readFileSync(file, 'utf8')) as { clusters?: readonly ClusterInFile[] }
  if (!Array.isArray(clusters)) throw new TypeError(`${file} has no list "clusters"`)
  return clusters.map(({ issuer, jwks_file: jwksFile, jwks_url: jwksUrl, audience, workloads = {} }: ClusterInFile) => {
    if (typeof issuer !== 'string' || issuer === '' || issuer === keyFileIssuer) throw new TypeError(`${file}: a cluster needs an "issuer"`)
    if ((typeof jwksFile === 'string') === (typeof jwksUrl === 'string'))
      throw new TypeError(`${file}: ${issuer} needs either "jwks_file" or "jwks_url"`)
    if (audience !== undefined && (typeof audience !== 'string' || audience === ''))
      throw new TypeError(`${file}: the "audience" of ${issuer} has to be a text`)
    const named = Object.entries(workloads as object)
    if (!named.every(([, name]) => typeof name === 'string')) throw new TypeError(`${file}: "workloads" of ${issuer} maps a sub to a name`)
    return {
      issuer,
      keys: typeof jwksFile === 'string' ? { file: jwksFile } : { url: new URL(String(jwksUrl)) },
      ...(audience !== undefined && { audience }),
      workloads: new Map(named),
    }
  })
}
