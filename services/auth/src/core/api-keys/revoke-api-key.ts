import { transact } from '@gatehouse/postgres'
import { endApiKey, findApiKey } from '../../store/api-keys.ts'
import type { AccountKey } from '../../store/service-accounts.ts'
import { audit } from '../audit/audit.ts'
import type { Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { tellKeyChange } from './tell-key-change.ts'

/** Ends a key at once. One that has ended stays so. */
export async function revokeApiKey(deps: Pick<Deps, 'db' | 'now'>, key: AccountKey): Promise<void> {
  await transact(deps.db, async (tx) => {
    const revoked = await endApiKey(tx, key, { revokeTime: new Date(deps.now()) })
    if (revoked) {
      await tellKeyChange({ db: tx, now: deps.now }, key)
      await audit(tx, { tenant: key.tenant, kind: 'api_key_revoke', subjectId: key.id, details: { account: revoked.account_id } })
      return
    }
    if (!(await findApiKey(tx, key))) throw refuse(ErrorReason.API_KEY_NOT_FOUND)
  })
}
