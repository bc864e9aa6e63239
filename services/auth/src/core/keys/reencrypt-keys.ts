import { transact } from '@gatehouse/postgres'
import { listAuditKeys, replaceSealedAuditKey } from '../../store/audit-checkpoints.ts'
import { listSealedConnectionSecrets, replaceSealedConnectionSecret } from '../../store/connections/connections.ts'
import { listRefreshKeys, replaceSealedRefreshKey } from '../../store/refresh-keys.ts'
import { keyAlgs, listSigningKeys, replaceSealedSigningKey } from '../../store/signing-keys.ts'
import { listTenants, lockTenant } from '../../store/tenants.ts'
import { listSealedTotps, replaceSealedTotp } from '../../store/totp-factors.ts'
import { audit } from '../audit/audit.ts'
import { placeOfAuditKey } from '../audit/checkpoints.ts'
import { placeOfConnectionSecret } from '../connections/connection-secret.ts'
import type { Deps } from '../deps.ts'
import { placeOfTotp } from '../factors/totp.ts'
import { placeOfRefreshKey, placeOfSigningKey } from './make-keys.ts'
import { openKeys } from './open-keys.ts'
import { seal } from './sealed-box.ts'

export interface ReencryptedKeys {
  readonly count: number
  /** Places of the keys that do not open, and stay as they are. */
  readonly shut: readonly string[]
}

/** Encrypts every key that anybody still needs anew under the present encryption key, so that the previous one can be forgotten. */
export async function reencryptKeys(deps: Pick<Deps, 'db' | 'keys' | 'now'>): Promise<ReencryptedKeys> {
  const { encryptionKey, unseal } = deps.keys
  const reseal = (box: Uint8Array, place: string) => seal(encryptionKey, unseal(box, place), place)
  let count = 0
  const shut: string[] = []
  for (const { id: tenant } of await listTenants(deps.db)) {
    await transact(deps.db, async (tx) => {
      await lockTenant(tx, tenant)
      const rows = { signing: await listSigningKeys(tx, tenant, new Date(deps.now())), refresh: await listRefreshKeys(tx, tenant) }
      const opened = await openKeys(rows, tenant, unseal)
      const kids = keyAlgs.flatMap((alg) => opened.signing[alg].map(({ kid }) => kid))
      const versions = opened.refresh.map(({ version }) => version)
      for (const row of keyAlgs.flatMap((alg) => rows.signing[alg]).filter(({ kid }) => kids.includes(kid)))
        await replaceSealedSigningKey(tx, row, reseal(row.private_key, placeOfSigningKey(tenant, row.kid, row.alg)))
      for (const { version, secret } of rows.refresh.filter((row) => versions.includes(row.version)))
        await replaceSealedRefreshKey(tx, { tenant, version }, reseal(secret, placeOfRefreshKey(tenant, version)))
      count += kids.length + versions.length
      shut.push(...[...opened.shutSigning, ...opened.shutRefresh].map(({ place }) => place))
      for (const { user_id: userId, secret } of await listSealedTotps(tx, tenant)) {
        const place = placeOfTotp(tenant, userId)
        if (!opens(unseal, secret, place)) shut.push(place)
        else {
          await replaceSealedTotp(tx, { tenant, userId }, reseal(secret, place))
          count += 1
        }
      }
      for (const { kid, private_key: box } of await listAuditKeys(tx, tenant)) {
        const place = placeOfAuditKey(tenant, kid)
        if (!opens(unseal, box, place)) shut.push(place)
        else {
          await replaceSealedAuditKey(tx, { tenant, kid }, reseal(box, place))
          count += 1
        }
      }
      for (const { connection_id: connectionId, secret: box } of await listSealedConnectionSecrets(tx, tenant)) {
        const place = placeOfConnectionSecret({ tenant, connectionId })
        if (box === null || !opens(unseal, box, place)) shut.push(place)
        else {
          await replaceSealedConnectionSecret(tx, { tenant, connectionId }, reseal(box, place))
          count += 1
        }
      }
      await audit(tx, { tenant, kind: 'keys_reencrypt', subjectId: tenant })
    })
  }
  return { count, shut }
}

function opens(unseal: Deps['keys']['unseal'], box: Uint8Array, place: string): boolean {
  try {
    unseal(box, place)
    return true
  } catch {
    return false
  }
}
