import { readFileSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { type CryptoKey, decodeProtectedHeader, errors, exportJWK, generateKeyPair, importJWK, type JWK, jwtVerify, SignJWT } from 'jose'
import { LRUCache } from 'lru-cache'
import { TokenInvalid } from './token-invalid.ts'
import { keyFileIssuer } from './workload-directory.ts'

/** Name of the metadata that carries a workload token. */
export const workloadHeader = 'gatehouse-workload'
/** Name of the metadata in which a workload without a person names the tenant. */
export const tenantHeader = 'gatehouse-tenant'

const issuer = keyFileIssuer
const typ = 'gatehouse-workload+jwt'
/** The `typ` by which tokens of key files are told from those of clusters. */
export const workloadTokenType: string = typ
const lifetimeSeconds = 60
const toleranceSeconds = 5

/** A public key in the workloads' JWKS: the key says which workload it is, so that a token cannot choose. */
export interface WorkloadJwk extends JWK {
  workload: string
}

/** A new key for a workload: the private half for its key file, the public half for the JWKS that all workloads read. */
export async function createWorkloadKey(workload: string): Promise<{ privateJwk: WorkloadJwk; publicJwk: WorkloadJwk }> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const about = { kid: `${workload}-${crypto.randomUUID().slice(0, 8)}`, alg: 'ES256', use: 'sig', workload }
  return { privateJwk: { ...(await exportJWK(privateKey)), ...about }, publicJwk: { ...(await exportJWK(publicKey)), ...about } }
}

/** Makes the tokens by which a workload tells who it is. */
export interface WorkloadSigner {
  /** Name of the workload. */
  readonly name: string
  /** A token that the peer `audience` accepts, good for at least ten seconds more. */
  tokenFor(audience: string): Promise<string>
}

/**
 * A signer with the key of a file (a private JWK that names its workload). The file is read again when it changes, so that a key can be rotated
 * without a restart. `now` is a clock that may be put right while it runs.
 * @throws when the file cannot be read or holds no such key.
 */
export async function createWorkloadSigner(keyFile: string, now: () => number = Date.now): Promise<WorkloadSigner> {
  let { key, jwk } = await readKey(keyFile)
  let changed = statSync(keyFile).mtimeMs
  const tokens = new Map<string, { token: string; signTime: number }>()

  async function sign(audience: string): Promise<string> {
    const mtime = statSync(keyFile, { throwIfNoEntry: false })?.mtimeMs
    if (mtime !== undefined && mtime !== changed) {
      ;({ key, jwk } = await readKey(keyFile))
      changed = mtime
    }
    const seconds = Math.floor(now() / 1000)
    return new SignJWT({})
      .setProtectedHeader({ alg: 'ES256', typ, kid: jwk.kid ?? '' })
      .setIssuer(issuer)
      .setSubject(jwk.workload)
      .setAudience(audience)
      .setJti(crypto.randomUUID())
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + lifetimeSeconds)
      .sign(key)
  }

  return {
    name: jwk.workload,
    async tokenFor(audience) {
      const held = tokens.get(audience)
      // A clock that was put right, either way, makes an old token of a new one.
      const age = held === undefined ? Number.NaN : now() - held.signTime
      if (held && age >= 0 && age < (lifetimeSeconds - 20) * 1000) return held.token
      const signTime = now()
      const token = await sign(audience)
      tokens.set(audience, { token, signTime })
      return token
    },
  }
}

async function readKey(file: string): Promise<{ key: CryptoKey; jwk: WorkloadJwk }> {
  const jwk = JSON.parse(await readFile(file, 'utf8')) as WorkloadJwk
  const key = await importJWK(jwk, 'ES256')
  if (key instanceof Uint8Array || typeof jwk.workload !== 'string' || jwk.d === undefined)
    throw new Error(`${file} holds no private key of a workload`)
  return { key, jwk }
}

/** Verifies the tokens of workloads. */
export interface WorkloadVerifier {
  /**
   * Name of the workload that a token proves.
   * @throws {@link TokenInvalid}
   */
  verify(token: string): Promise<string>
  /** What {@link verify} would answer without a wait: the workload of a token that was verified and is still good; undefined tells nothing. */
  known?(token: string): string | undefined
}

/** Options of {@link createWorkloadVerifier}. */
export interface WorkloadVerifierOptions {
  /** The name that tokens must have as `aud`: the own one. */
  self: string
  /** The JWKS of all workloads; read again when it changes, so that a key can be added and taken away without a restart. */
  jwksFile: string
  /** Milliseconds between two looks at the file; 1 s unless given. A key that is unknown has it looked at at once. */
  intervalMs?: number
  now?: () => number
}

/** A verifier of workload tokens. A token that was verified is remembered until it ends, or until the keys change. */
export function createWorkloadVerifier({ self, jwksFile, intervalMs = 1_000, now = Date.now }: WorkloadVerifierOptions): WorkloadVerifier {
  let state = stateOf(jwksFile)
  let keys = readKeys(jwksFile)
  let lastLook = performance.now()
  const seen = new LRUCache<string, { workload: string; expireTime: number }>({ max: 500 })

  function look(): void {
    lastLook = performance.now()
    const present = stateOf(jwksFile)
    if (present === undefined || present === state) return
    try {
      keys = readKeys(jwksFile)
    } catch {
      // Half written: the next look finds it whole, and until then the keys that were known are.
      return
    }
    state = present
    seen.clear()
  }

  function known(token: string): string | undefined {
    if (performance.now() - lastLook >= intervalMs) look()
    const held = seen.get(token)
    return held && held.expireTime > now() ? held.workload : undefined
  }

  return {
    known,
    async verify(token) {
      const workload = known(token)
      if (workload !== undefined) return workload
      try {
        if (token.length > 4096) throw new TokenInvalid('the token is too long')
        const { kid } = decodeProtectedHeader(token)
        if (typeof kid !== 'string') throw new TokenInvalid('the key is not named')
        if (!keys.has(kid)) look()
        const jwk = keys.get(kid)
        if (!jwk) throw new TokenInvalid('the key is unknown')
        const key = (await importJWK({ ...jwk, alg: 'ES256' }, 'ES256')) as CryptoKey
        const { payload } = await jwtVerify(token, key, {
          algorithms: ['ES256'],
          typ,
          issuer,
          audience: self,
          subject: jwk.workload,
          requiredClaims: ['exp', 'iat', 'jti'],
          maxTokenAge: lifetimeSeconds,
          clockTolerance: toleranceSeconds,
          currentDate: new Date(now()),
        })
        if (payload.aud !== self) throw new TokenInvalid('the audience is another')
        // Whoever makes tokens for longer makes them to be kept.
        if ((payload.exp as number) - (payload.iat as number) > lifetimeSeconds) throw new TokenInvalid('the token lives for too long')
        const endSeconds = (payload.exp as number) + toleranceSeconds
        // The keys may have changed while the signature was checked.
        if (keys.get(kid) === jwk) seen.set(token, { workload: jwk.workload, expireTime: endSeconds * 1000 })
        return jwk.workload
      } catch (error) {
        if (error instanceof TokenInvalid) throw error
        throw new TokenInvalid(error instanceof errors.JOSEError ? error.code : 'not a token', { cause: error })
      }
    },
  }
}

/** Differs when the file does; undefined while there is none. */
function stateOf(file: string): string | undefined {
  const found = statSync(file, { throwIfNoEntry: false })
  return found && `${found.mtimeMs} ${found.ino} ${found.size}`
}

function readKeys(file: string): Map<string, WorkloadJwk> {
  const { keys } = JSON.parse(readFileSync(file, 'utf8')) as { keys: WorkloadJwk[] }
  return new Map(
    keys
      .filter((key) => typeof key.kid === 'string' && typeof key.workload === 'string' && key.d === undefined)
      .map((key) => [key.kid as string, key]),
  )
}
