import { administratorRole } from '@gatehouse/identity'
import { transact } from '@gatehouse/postgres'
import { deleteKeysOfAccount } from '../../store/api-keys.ts'
import { listAccountsWith } from '../../store/bindings.ts'
import {
  type AccountKey,
  deleteServiceAccount as deleteAccount,
  lockServiceAccount,
  type ServiceAccountRow,
  setDisabled,
} from '../../store/service-accounts.ts'
import { activeAdministrators, assertAdministratorBeside } from '../access/administrators.ts'
import { changing } from '../access/change-access.ts'
import { tellKeysOfAccount } from '../api-keys/tell-key-change.ts'
import { audit } from '../audit/audit.ts'
import type { Db, Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { unbindPerson } from '../roles/unbind-person.ts'

/** Refuses, within the transaction that takes an account away, where nobody would be left who can do everything. */
export type AssertDispensable = (tx: Db, key: AccountKey) => Promise<void>

/** For people. The operator, who holds the database's credentials, is not asked. */
export async function dispensableIn(deps: Pick<Deps, 'db' | 'batches'>, tenant: string): Promise<AssertDispensable> {
  const active = await activeAdministrators(deps, tenant)
  return async (tx, { id }) => {
    // Most accounts are none: they do not wait for each other.
    if (!(await listAccountsWith(tx, { tenant, role: administratorRole })).includes(id)) return
    await assertAdministratorBeside(await changing(tx, tenant), id, active)
  }
}

/** Takes all keys of an account out of use, or back into it. */
export async function disableServiceAccount(
  deps: Pick<Deps, 'db' | 'now'>,
  key: AccountKey,
  disabled: boolean,
  assertDispensable?: AssertDispensable,
): Promise<ServiceAccountRow> {
  return await transact(deps.db, async (tx) => {
    if (disabled) await assertDispensable?.(tx, key)
    const account = await setDisabled(tx, key, disabled ? new Date(deps.now()) : null)
    if (!account) throw refuse(ErrorReason.SERVICE_ACCOUNT_NOT_FOUND)
    await tellKeysOfAccount({ db: tx, now: deps.now }, key)
    const kind = disabled ? 'service_account_disable' : 'service_account_enable'
    await audit(tx, { tenant: key.tenant, kind, subjectId: key.id })
    return account
  })
}

/** Removes an account with its keys and roles. */
export async function deleteServiceAccount(
  deps: Pick<Deps, 'db' | 'now'>,
  key: AccountKey,
  assertDispensable?: AssertDispensable,
): Promise<void> {
  await transact(deps.db, async (tx) => {
    await assertDispensable?.(tx, key)
    if (!(await lockServiceAccount(tx, key))) return
    await tellKeysOfAccount({ db: tx, now: deps.now }, key)
    await deleteKeysOfAccount(tx, key)
    await unbindPerson(tx, { tenant: key.tenant, userId: key.id })
    await deleteAccount(tx, key)
    await audit(tx, { tenant: key.tenant, kind: 'service_account_delete', subjectId: key.id })
  })
}
