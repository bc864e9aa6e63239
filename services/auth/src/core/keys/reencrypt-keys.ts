import { transact } from '@gatehouse/postgres'
import { listRefreshKeys, replaceSealedRefreshKey } from '../../store/refresh-keys.ts'
import { listSealedSigningKeys, replaceSealedSigningKey } from '../../store/signing-keys.ts'
import { listTenants, lockTenant } from '../../store/tenants.ts'
import { listSealedTotps, replaceSealedTotp } from '../../store/totp-factors.ts'
import type { Deps } from '../deps.ts'
import { placeOfTotp } from '../factors/totp.ts'
import { placeOfRefreshKey, placeOfSigningKey } from './make-keys.ts'
import { seal } from './sealed-box.ts'

/** Encrypts every key anew under the present encryption key, so that the previous one can be forgotten. Answers how many keys there are. */
export async function reencryptKeys(deps: Pick<Deps, 'db' | 'keys'>): Promise<number> {
  const { encryptionKey, unseal } = deps.keys
  const reseal = (box: Uint8Array, place: string) => seal(encryptionKey, unseal(box, place), place)
  let count = 0
  for (const { id: tenant } of await listTenants(deps.db)) {
    count += await transact(deps.db, async (tx) => {
      await lockTenant(tx, tenant)
      const signing = await listSealedSigningKeys(tx, tenant)
      for (const { kid, private_key: box } of signing)
        await replaceSealedSigningKey(tx, { tenant, kid }, reseal(box, placeOfSigningKey(tenant, kid)))
      const refresh = await listRefreshKeys(tx, tenant)
      for (const { version, secret } of refresh)
        await replaceSealedRefreshKey(tx, { tenant, version }, reseal(secret, placeOfRefreshKey(tenant, version)))
      const totps = await listSealedTotps(tx, tenant)
      for (const { user_id: userId, secret } of totps)
        await replaceSealedTotp(tx, { tenant, userId }, reseal(secret, placeOfTotp(tenant, userId)))
      return signing.length + refresh.length + totps.length
    })
  }
  return count
}
