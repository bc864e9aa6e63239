import { timingSafeEqual } from 'node:crypto'
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import type { ResolvedKey } from '@gatehouse/identity'
import { findApiKeyInUse, noteUse } from '../../store/api-keys.ts'
import { permissionsOfRoles } from '../access/assert-holds.ts'
import type { Deps } from '../deps.ts'
import { limitOf } from './rotate-api-key.ts'

const minuteMs = 60_000

/** What a key is good for at this moment; undefined where it is not, whatever the cause. */
export async function resolveApiKey(
  deps: Pick<Deps, 'db' | 'now' | 'log'>,
  { keyId, keyHash }: { readonly keyId: string; readonly keyHash: Uint8Array },
): Promise<ResolvedKey | undefined> {
  const now = deps.now()
  const found = await findApiKeyInUse(deps.db, keyId)
  if (!found || !timingSafeEqual(found.key_hash, keyHash)) return undefined
  if (found.revoke_time !== null || found.disable_time !== null || found.expire_time.getTime() <= now) return undefined
  const minute = new Date(now - (now % minuteMs))
  if (found.last_use_time === null || found.last_use_time < minute)
    // A key is good whether its use can be written or not.
    await noteUse(deps.db, found, minute).catch((error: unknown) =>
      deps.log.warn({ problem: String(error) }, 'the use of an API key is not noted'),
    )
  const scopes = new Set(found.scopes)
  const limit = limitOf(found)
  return {
    tenant: found.tenant,
    serviceAccountId: found.account_id,
    serviceAccountName: found.account_name,
    scopes: found.scopes,
    permissions: [...(await permissionsOfRoles(deps.db, found.tenant, found.roles))].filter((permission) => scopes.has(permission)),
    expireTime: timestampFromDate(found.expire_time),
    ...(limit && { limit }),
  }
}
