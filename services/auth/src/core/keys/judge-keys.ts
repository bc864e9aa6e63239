import { listRefreshKeys } from '../../store/refresh-keys.ts'
import { listSealedSigningKeys, listSigningKeys } from '../../store/signing-keys.ts'
import { listTenants } from '../../store/tenants.ts'
import type { Db } from '../deps.ts'
import { placeOfRefreshKey, placeOfSigningKey } from './make-keys.ts'
import { unseal } from './sealed-box.ts'

/** The keys of a tenant as the doctor sees them. */
export interface JudgedKeys {
  readonly tenant: string
  readonly signing: readonly { readonly kid: string; readonly signTime: Date; readonly retireTime: Date | null }[]
  /** Places of boxes that none of the encryption keys opens. */
  readonly closed: readonly string[]
}

export async function judgeKeys(db: Db, openers: readonly Uint8Array[], now: Date): Promise<JudgedKeys[]> {
  const judged: JudgedKeys[] = []
  for (const { id: tenant } of await listTenants(db)) {
    const signing = await listSigningKeys(db, tenant, now)
    const sealed = [
      ...(await listSealedSigningKeys(db, tenant)).map(({ kid, private_key }) => ({
        place: placeOfSigningKey(tenant, kid),
        box: private_key,
      })),
      ...(await listRefreshKeys(db, tenant)).map(({ version, secret }) => ({ place: placeOfRefreshKey(tenant, version), box: secret })),
    ]
    judged.push({
      tenant,
      signing: signing.map(({ kid, sign_time: signTime, retire_time: retireTime }) => ({ kid, signTime, retireTime })),
      closed: sealed.filter(({ box, place }) => !opens(openers, box, place)).map(({ place }) => place),
    })
  }
  return judged
}

function opens(openers: readonly Uint8Array[], box: Uint8Array, place: string): boolean {
  try {
    unseal(openers, box, place)
    return true
  } catch {
    // Closed by another key, or damaged.
    return false
  }
}
