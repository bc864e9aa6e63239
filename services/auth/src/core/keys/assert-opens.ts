import { listRefreshKeys } from '../../store/refresh-keys.ts'
import { listSealedSigningKeys } from '../../store/signing-keys.ts'
import type { Db } from '../deps.ts'
import type { KeyRing } from './key-ring.ts'
import { placeOfRefreshKey, placeOfSigningKey } from './make-keys.ts'

/**
 * Whether we have the encryption key that closed what the tenant has. A key that an operator's shell closed with another one would be one that
 * auth cannot open, and auth opens all of a tenant's keys or none.
 * @throws WrongEncryptionKey when it is another one.
 */
export async function assertOpens(db: Db, keys: Pick<KeyRing, 'unseal'>, tenant: string): Promise<void> {
  for (const { kid, private_key } of await listSealedSigningKeys(db, tenant)) keys.unseal(private_key, placeOfSigningKey(tenant, kid))
  for (const { version, secret } of await listRefreshKeys(db, tenant)) keys.unseal(secret, placeOfRefreshKey(tenant, version))
}
