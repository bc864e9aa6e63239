import { insertRefreshKey, listRefreshKeys } from '../../store/refresh-keys.ts'
import { insertSigningKey, listSigningKeys } from '../../store/signing-keys.ts'
import { lockTenant } from '../../store/tenants.ts'
import { audit } from '../audit/audit.ts'
import type { Db } from '../deps.ts'
import { assertOpens } from './assert-opens.ts'
import type { KeyRing } from './key-ring.ts'
import { makeRefreshKey, makeSigningKey } from './make-keys.ts'

/** Sees to it that the tenant has keys, within the caller's transaction. The tenant's lock lets one of many replicas make them. */
export async function ensureKeys(tx: Db, keys: Pick<KeyRing, 'encryptionKey' | 'unseal'>, tenant: string, now: number): Promise<void> {
  if ((await lockTenant(tx, tenant)) === undefined) throw new Error(`there is no tenant ${tenant}`)
  const time = new Date(now)
  const signs = (await listSigningKeys(tx, tenant, time)).ES256.length > 0
  const refreshes = (await listRefreshKeys(tx, tenant)).length > 0
  if (signs && refreshes) return
  await assertOpens(tx, keys, tenant, time)
  if (!signs) {
    const key = await makeSigningKey(keys.encryptionKey, tenant)
    await insertSigningKey(tx, { ...key, create_time: time, sign_time: time })
    await audit(tx, { tenant, kind: 'key_make', subjectId: key.kid, details: { use: 'tokens' } })
  }
  if (!refreshes) {
    await insertRefreshKey(tx, { ...makeRefreshKey(keys.encryptionKey, tenant, 1), create_time: time })
    await audit(tx, { tenant, kind: 'key_make', subjectId: '1', details: { use: 'refresh' } })
  }
}

/**
 * Sees to it that the tenant has a key that signs by RS256, within the transaction that makes a client which asks for that. It signs at once: nobody verifies such tokens yet.
 * The tenant's lock is taken before any of a client.
 */
export async function ensureRs256Key(tx: Db, keys: Pick<KeyRing, 'encryptionKey' | 'unseal'>, tenant: string, now: number): Promise<void> {
  if ((await lockTenant(tx, tenant)) === undefined) throw new Error(`there is no tenant ${tenant}`)
  const time = new Date(now)
  if ((await listSigningKeys(tx, tenant, time)).RS256.length > 0) return
  await assertOpens(tx, keys, tenant, time)
  const key = await makeSigningKey(keys.encryptionKey, tenant, 'RS256')
  await insertSigningKey(tx, { ...key, create_time: time, sign_time: time })
  await audit(tx, { tenant, kind: 'key_make', subjectId: key.kid, details: { use: 'rs256' } })
}
