import { listRefreshKeys } from '../../store/refresh-keys.ts'
import { listSigningKeys, type SigningKeyRow, type SigningKeys } from '../../store/signing-keys.ts'
import { listTenants } from '../../store/tenants.ts'
import type { Db } from '../deps.ts'
import { openKeys, type ShutKey } from './open-keys.ts'
import { unseal } from './sealed-box.ts'

/** The keys of a tenant as the doctor sees them. */
export interface JudgedKeys {
  readonly tenant: string
  /** In the order in which they sign, whether they open or not. */
  readonly signing: SigningKeys<JudgedKey>
  readonly shutSigning: readonly ShutKey[]
  readonly shutRefresh: readonly ShutKey[]
  /** Whether a key is left that signs, one that signs by RS256 where there has to be one, and one that refreshes. */
  readonly signs: boolean
  readonly signsRs256: boolean
  readonly refreshes: boolean
}

interface JudgedKey {
  readonly kid: string
  readonly signTime: Date
  readonly retireTime: Date | null
}

export async function judgeKeys(db: Db, openers: readonly Uint8Array[], now: Date): Promise<JudgedKeys[]> {
  const judged: JudgedKeys[] = []
  for (const { id: tenant } of await listTenants(db)) {
    const rows = { signing: await listSigningKeys(db, tenant, now), refresh: await listRefreshKeys(db, tenant) }
    const { signing, refresh, shutSigning, shutRefresh } = await openKeys(rows, tenant, (box, place) => unseal(openers, box, place))
    judged.push({
      tenant,
      signing: { ES256: rows.signing.ES256.map(judgedKey), RS256: rows.signing.RS256.map(judgedKey) },
      shutSigning,
      shutRefresh,
      signs: signing.ES256.length > 0,
      signsRs256: rows.signing.RS256.length === 0 || signing.RS256.length > 0,
      refreshes: refresh.length > 0,
    })
  }
  return judged
}

function judgedKey({ kid, sign_time: signTime, retire_time: retireTime }: SigningKeyRow): JudgedKey {
  return { kid, signTime, retireTime }
}
