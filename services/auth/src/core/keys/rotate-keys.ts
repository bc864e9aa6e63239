import { transact } from '@gatehouse/postgres'
import { insertSigningKey, type KeyAlg, keyAlgs, listSigningKeys, retireOtherKeys, type SigningKeyRow } from '../../store/signing-keys.ts'
import { listTenants, lockTenant } from '../../store/tenants.ts'
import { audit } from '../audit/audit.ts'
import type { Deps } from '../deps.ts'
import { assertOpens } from './assert-opens.ts'
import { makeSigningKey } from './make-keys.ts'
import { type OpenedSigningKey, openKeys } from './open-keys.ts'
import { closedKeyIn } from './sealed-box.ts'

/** How long verifiers may keep a set of keys without asking again; the `max-age` of the JWKS. */
export const keysMaxAgeSeconds = 300

/** From a key's publication to its first signature: twice what a verifier, and once more what a cache before it, may keep. */
const publishLeadSeconds = 2 * keysMaxAgeSeconds

/** The longest life of what a key signs: an ID token's (`ClientOptions.id_token_lifetime`), which clients keep and send back as `id_token_hint`. */
const longestTokenSeconds = 86_400

/** Verifiers' clocks may be behind ours by this much. */
const clockLeewaySeconds = 60

export interface RotateKeysInput {
  readonly tenant: string
  /** ES256 unless given. Of the other kind there is nothing to rotate until a client asked for it. */
  readonly alg?: KeyAlg
  /** Rotates only where the newest key signs for longer than this. */
  readonly olderThanSeconds?: number
  /** For a stolen key: the new one signs at once, and the others' tokens are refused as soon as verifiers ask again. */
  readonly immediately?: boolean
}

/**
 * Makes the tenant's next signing key. Answers its kid, or undefined where there was nothing to do: one that waits for its time is enough. A key
 * that does not open is no successor: where the ones that open are to leave, the next is made.
 */
export async function rotateKeys(deps: Pick<Deps, 'db' | 'keys' | 'now'>, input: RotateKeysInput): Promise<string | undefined> {
  const { tenant, alg = 'ES256' } = input
  const kid = await transact(deps.db, async (tx) => {
    if ((await lockTenant(tx, tenant)) === undefined) throw new Error(`there is no tenant ${tenant}`)
    const now = deps.now()
    const signing = await listSigningKeys(tx, tenant, new Date(now))
    if (alg === 'RS256' && signing.RS256.length === 0) return undefined
    const opened = await openKeys({ signing, refresh: [] }, tenant, deps.keys.unseal)
    const newest = newestToGoOn(signing[alg], opened.signing[alg])
    if (!input.immediately && newest !== undefined) {
      if (newest.sign_time.getTime() > now) return undefined
      if (newest.sign_time.getTime() > now - (input.olderThanSeconds ?? 0) * 1000) return undefined
    }
    const signTime = now + (input.immediately ? 0 : publishLeadSeconds * 1000)
    const lastTokenEnds = signTime + (longestTokenSeconds + clockLeewaySeconds) * 1000
    await assertOpens(tx, deps.keys, tenant, new Date(now))
    const key = await makeSigningKey(deps.keys.encryptionKey, tenant, alg)
    await insertSigningKey(tx, { ...key, create_time: new Date(now), sign_time: new Date(signTime) })
    await retireOtherKeys(tx, key, new Date(input.immediately ? now : lastTokenEnds))
    const details = { ...(alg === 'RS256' && { use: 'rs256' }), ...(input.immediately && { immediately: 'yes' }) }
    await audit(tx, { tenant, kind: 'key_rotate', subjectId: key.kid, details })
    return key.kid
  })
  if (kid !== undefined) deps.keys.forget(tenant)
  return kid
}

function newestToGoOn(rows: readonly SigningKeyRow[], opened: readonly OpenedSigningKey[]): SigningKeyRow | undefined {
  return rows.findLast(({ kid, retire_time }) => retire_time === null && opened.some((each) => each.kid === kid))
}

/** Rotates in every tenant whose key has signed for long enough. Every replica may do it at once: the tenant's lock lets one act. */
export async function rotateOldKeys(
  deps: Pick<Deps, 'db' | 'keys' | 'now' | 'log'>,
  input: { olderThanSeconds: number; signal: AbortSignal },
): Promise<void> {
  for (const { id } of await listTenants(deps.db)) {
    if (input.signal.aborted) return
    try {
      // Has those told that do not open, of a tenant too that nobody signs in to.
      await deps.keys.publicKeys(id)
      for (const alg of keyAlgs) {
        const kid = await rotateKeys(deps, { tenant: id, alg, olderThanSeconds: input.olderThanSeconds })
        if (kid !== undefined) deps.log.info({ tenant: id, kid, alg }, 'the next signing key is published')
      }
    } catch (error) {
      // The next tenants' keys may well open. Postgres being away is for whoever called.
      const closed = closedKeyIn(error)
      if (closed === undefined) throw error
      deps.log.error({ tenant: id, problem: closed.message }, 'no signing key can be made')
    }
  }
}
