import { transact } from '@gatehouse/postgres'
import {
  CompactSign,
  calculateJwkThumbprint,
  compactVerify,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
} from 'jose'
import { type CheckpointRow, insertAuditKey, insertCheckpoint, listAuditKeys } from '../../store/audit-checkpoints.ts'
import { lastSeals } from '../../store/audit-seals.ts'
import { lockTenant } from '../../store/tenants.ts'
import type { Db, Deps } from '../deps.ts'
import { assertOpens } from '../keys/assert-opens.ts'
import { seal } from '../keys/sealed-box.ts'

const alg = 'ES256'
const typ = 'gatehouse-audit+jws'

/** Where a key is kept; part of what its box is bound to. */
export const placeOfAuditKey = (tenant: string, kid: string) => `audit key ${kid} of tenant ${tenant}`

/** What a checkpoint says: the chain of the tenant had this hash at this position at this time. */
export interface Checkpoint {
  readonly tenant: string
  readonly position: bigint
  /** Base64url. */
  readonly hash: string
  readonly time: Date
  /** Thumbprint of the key that signed it. */
  readonly kid: string
  readonly jws: string
}

/**
 * Signs the end of a tenant's chain, in a transaction of its own; undefined where there is no chain. The key signs nothing else and is never forgotten:
 * keys of tokens leave after weeks, and checkpoints have to verify after years.
 */
export async function makeCheckpoint(deps: Pick<Deps, 'db' | 'keys' | 'now'>, tenant: string): Promise<string | undefined> {
  return await transact(deps.db, async (tx) => {
    if ((await lockTenant(tx, tenant)) === undefined) throw new Error(`there is no tenant ${tenant}`)
    const [end] = await lastSeals(tx, [tenant])
    if (end === undefined) return undefined
    const time = new Date(deps.now())
    const { privateKey, publicJwk, kid } = await signerOf(tx, deps, tenant, time)
    const payload = { tenant, position: String(end.position), hash: Buffer.from(end.hash).toString('base64url'), time: time.toISOString() }
    const jws = await new CompactSign(Buffer.from(JSON.stringify(payload)))
      .setProtectedHeader({ alg, typ, kid, jwk: publicJwk })
      .sign(await importJWK(privateKey, alg))
    await insertCheckpoint(tx, { tenant, position: end.position, time, jws })
    return jws
  })
}

async function signerOf(tx: Db, deps: Pick<Deps, 'keys'>, tenant: string, time: Date) {
  const held = (await listAuditKeys(tx, tenant)).at(-1)
  if (held !== undefined) {
    const box = deps.keys.unseal(held.private_key, placeOfAuditKey(tenant, held.kid))
    return { kid: held.kid, publicJwk: held.public_jwk as JWK, privateKey: JSON.parse(Buffer.from(box).toString()) as JWK }
  }
  await assertOpens(tx, deps.keys, tenant, time)
  const pair = await generateKeyPair(alg, { extractable: true })
  const publicJwk = await exportJWK(pair.publicKey)
  const privateKey = await exportJWK(pair.privateKey)
  const kid = await calculateJwkThumbprint(publicJwk)
  const box = seal(deps.keys.encryptionKey, Buffer.from(JSON.stringify(privateKey)), placeOfAuditKey(tenant, kid))
  await insertAuditKey(tx, { tenant, kid, public_jwk: JSON.stringify(publicJwk), private_key: box, create_time: time })
  return { kid, publicJwk, privateKey }
}

/**
 * Reads a checkpoint and verifies it with the key that it carries. Whether that is a key of ours is for the caller to ask: the `kid` is its thumbprint,
 * so whoever trusts the `kid` trusts the key.
 * @returns undefined where it is none, or was changed.
 */
export async function readCheckpoint(jws: string): Promise<Checkpoint | undefined> {
  try {
    const header = decodeProtectedHeader(jws)
    const { jwk, kid } = header
    if (header.alg !== alg || header.typ !== typ || jwk === undefined || kid === undefined) return undefined
    if ((await calculateJwkThumbprint(jwk)) !== kid) return undefined
    const { payload } = await compactVerify(jws, await importJWK(jwk, alg), { algorithms: [alg] })
    const { tenant, position, hash, time } = JSON.parse(Buffer.from(payload).toString()) as Record<string, string>
    if (tenant === undefined || hash === undefined || time === undefined || !/^\d{1,18}$/.test(position ?? '')) return undefined
    return { tenant, position: BigInt(position ?? ''), hash, time: new Date(time), kid, jws }
  } catch {
    return undefined
  }
}

/** The checkpoint of a row, where it says what its row says and is signed with a key of the tenant's. */
export async function readOwnCheckpoint(row: CheckpointRow, kids: ReadonlySet<string>): Promise<Checkpoint | undefined> {
  const checkpoint = await readCheckpoint(row.jws)
  const fits = checkpoint?.tenant === row.tenant && checkpoint.position === row.position && kids.has(checkpoint.kid)
  return fits ? checkpoint : undefined
}
