import { type ApiKeyRow, listApiKeys as readApiKeys } from '../../store/api-keys.ts'
import { findServiceAccount } from '../../store/service-accounts.ts'
import type { Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { type PageInput, pageById } from '../service-accounts/list-service-accounts.ts'

/** A page of the keys of an account. */
export async function listApiKeys(
  deps: Pick<Deps, 'db'>,
  input: PageInput & { readonly tenant: string; readonly accountId: string },
): Promise<{ rows: ApiKeyRow[]; nextPageToken: string }> {
  const { tenant, accountId } = input
  if (!(await findServiceAccount(deps.db, { tenant, id: accountId }))) throw refuse(ErrorReason.SERVICE_ACCOUNT_NOT_FOUND)
  return await pageById(`api-keys/${tenant}/${accountId}`, input, (after, limit) =>
    readApiKeys(deps.db, { tenant, accountId, after, limit }),
  )
}
