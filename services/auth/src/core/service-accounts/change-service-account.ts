import { transact } from '@gatehouse/postgres'
import { deleteKeysOfAccount } from '../../store/api-keys.ts'
import {
  type AccountKey,
  deleteServiceAccount as deleteAccount,
  lockServiceAccount,
  type ServiceAccountRow,
  setDisabled,
} from '../../store/service-accounts.ts'
import { tellKeysOfAccount } from '../api-keys/tell-key-change.ts'
import { audit } from '../audit/audit.ts'
import type { Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { unbindPerson } from '../roles/unbind-person.ts'

/** Takes all keys of an account out of use, or back into it. */
export async function disableServiceAccount(
  deps: Pick<Deps, 'db' | 'now'>,
  key: AccountKey,
  disabled: boolean,
): Promise<ServiceAccountRow> {
  return await transact(deps.db, async (tx) => {
    const account = await setDisabled(tx, key, disabled ? new Date(deps.now()) : null)
    if (!account) throw refuse(ErrorReason.SERVICE_ACCOUNT_NOT_FOUND)
    await tellKeysOfAccount({ db: tx, now: deps.now }, key)
    const kind = disabled ? 'service_account_disable' : 'service_account_enable'
    await audit(tx, { tenant: key.tenant, kind, subjectId: key.id })
    return account
  })
}

/** Removes an account with its keys and roles. */
export async function deleteServiceAccount(deps: Pick<Deps, 'db' | 'now'>, key: AccountKey): Promise<void> {
  await transact(deps.db, async (tx) => {
    if (!(await lockServiceAccount(tx, key))) return
    await tellKeysOfAccount({ db: tx, now: deps.now }, key)
    await deleteKeysOfAccount(tx, key)
    await unbindPerson(tx, { tenant: key.tenant, userId: key.id })
    await deleteAccount(tx, key)
    await audit(tx, { tenant: key.tenant, kind: 'service_account_delete', subjectId: key.id })
  })
}
