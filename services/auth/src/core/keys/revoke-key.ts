import { transact } from '@gatehouse/postgres'
import { insertSigningKey, type KeyAlg, keyAlgs, listSigningKeys, retireKey, signFrom } from '../../store/signing-keys.ts'
import { lockTenant } from '../../store/tenants.ts'
import { audit } from '../audit/audit.ts'
import type { Deps } from '../deps.ts'
import { assertOpens } from './assert-opens.ts'
import { makeSigningKey } from './make-keys.ts'
import { openKeys } from './open-keys.ts'

/** What came of it. */
export type RevokedKey =
  | { readonly outcome: 'revoked' /** Signs from now on. */; readonly signing: string; readonly alg: KeyAlg }
  | { readonly outcome: 'unknown' }
  /** No other key is to go on signing: nothing was done. */
  | { readonly outcome: 'only key' }

/**
 * Ends the trust in one signing key at once: it leaves the JWKS, and its tokens are refused as soon as verifiers ask again. Whatever else there is
 * of its kind signs from now on, also a key that waited for its time; with `successor` one is made where there is none.
 */
export async function revokeKey(
  deps: Pick<Deps, 'db' | 'keys' | 'now'>,
  { tenant, kid, successor }: { readonly tenant: string; readonly kid: string; readonly successor: boolean },
): Promise<RevokedKey> {
  const revoked = await transact(deps.db, async (tx): Promise<RevokedKey> => {
    if ((await lockTenant(tx, tenant)) === undefined) throw new Error(`there is no tenant ${tenant}`)
    const now = new Date(deps.now())
    const all = await listSigningKeys(tx, tenant, now)
    const alg = keyAlgs.find((each) => all[each].some((key) => key.kid === kid))
    if (alg === undefined) return { outcome: 'unknown' }
    const { [alg]: keys } = all
    const { signing: opened } = await openKeys({ signing: all, refresh: [] }, tenant, deps.keys.unseal)
    const opens = (key: { kid: string }) => opened[alg].some((each) => each.kid === key.kid)
    // A key that leaves signs no more: a newer one has taken over, or will. One that does not open never signs.
    const others = keys.filter((key) => key.kid !== kid && key.retire_time === null && opens(key))
    let signing = others.findLast((key) => key.sign_time <= now)?.kid ?? others[0]?.kid
    if (signing === undefined) {
      if (!successor) return { outcome: 'only key' }
      await assertOpens(tx, deps.keys, tenant, now, kid)
      const key = await makeSigningKey(deps.keys.encryptionKey, tenant, alg)
      await insertSigningKey(tx, { ...key, create_time: now, sign_time: now })
      signing = key.kid
    }
    await signFrom(tx, { tenant, kid: signing, alg }, now)
    await retireKey(tx, { tenant, kid, alg }, now)
    await audit(tx, { tenant, kind: 'key_revoke', subjectId: kid, details: { signing } })
    return { outcome: 'revoked', signing, alg }
  })
  deps.keys.forget(tenant)
  return revoked
}
