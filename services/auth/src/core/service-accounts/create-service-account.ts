import { once, transact } from '@gatehouse/postgres'
import { v7 as uuidv7 } from 'uuid'
import { findServiceAccount, insertServiceAccount, type ServiceAccountRow } from '../../store/service-accounts.ts'
import type { Retry } from '../accounts/caller.ts'
import { audit } from '../audit/audit.ts'
import type { Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'

export interface CreateServiceAccountInput {
  readonly tenant: string
  readonly name: string
  readonly description: string
  /** Who asks, for the promise of the request id. */
  readonly callerId: string
  readonly retry: Retry
}

/** Makes an account that may do nothing yet. The same request again answers the account that it made. */
export async function createServiceAccount(deps: Pick<Deps, 'db'>, input: CreateServiceAccountInput): Promise<ServiceAccountRow> {
  const { tenant, name, description, callerId, retry } = input
  return await transact(deps.db, async (tx) => {
    const method = 'ServiceAccountService.CreateServiceAccount'
    const { id } = await once(tx, { tenant, caller: callerId, method, ...retry }, async () => {
      const made = await insertServiceAccount(tx, { tenant, id: uuidv7(), name, description })
      if (!made) throw refuse(ErrorReason.SERVICE_ACCOUNT_EXISTS)
      await audit(tx, { tenant, kind: 'service_account_create', subjectId: made.id, details: { name } })
      return made.id
    })
    const account = await findServiceAccount(tx, { tenant, id })
    if (!account) throw refuse(ErrorReason.SERVICE_ACCOUNT_NOT_FOUND)
    return account
  })
}
