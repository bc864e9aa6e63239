import { listRefreshKeys } from '../../store/refresh-keys.ts'
import { listSigningKeys } from '../../store/signing-keys.ts'
import { listTenants } from '../../store/tenants.ts'
import type { Db } from '../deps.ts'
import { openKeys, type ShutKey } from './open-keys.ts'
import { unseal } from './sealed-box.ts'

/** The keys of a tenant as the doctor sees them. */
export interface JudgedKeys {
  readonly tenant: string
  /** In the order in which they sign, whether they open or not. */
  readonly signing: readonly { readonly kid: string; readonly signTime: Date; readonly retireTime: Date | null }[]
  readonly shutSigning: readonly ShutKey[]
  readonly shutRefresh: readonly ShutKey[]
  /** Whether a key is left that signs, and one that refreshes. */
  readonly signs: boolean
  readonly refreshes: boolean
}

export async function judgeKeys(db: Db, openers: readonly Uint8Array[], now: Date): Promise<JudgedKeys[]> {
  const judged: JudgedKeys[] = []
  for (const { id: tenant } of await listTenants(db)) {
    const rows = { signing: await listSigningKeys(db, tenant, now), refresh: await listRefreshKeys(db, tenant) }
    const { signing, refresh, shutSigning, shutRefresh } = await openKeys(rows, tenant, (box, place) => unseal(openers, box, place))
    judged.push({
      tenant,
      signing: rows.signing.map(({ kid, sign_time: signTime, retire_time: retireTime }) => ({ kid, signTime, retireTime })),
      shutSigning,
      shutRefresh,
      signs: signing.length > 0,
      refreshes: refresh.length > 0,
    })
  }
  return judged
}
