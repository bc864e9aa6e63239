import { deletePasskey as deleteRow } from '../../store/passkeys.ts'
import type { Deps } from '../deps.ts'
import { changeFactors, type FactorOwner } from '../factors/change-factors.ts'
import { ErrorReason, refuse } from '../refuse.ts'

/** Takes a passkey away. Sign-ins that it began come to nothing. */
export async function deletePasskey(
  deps: Pick<Deps, 'db' | 'batches' | 'lifetimes' | 'log' | 'committed'>,
  owner: FactorOwner,
  id: string,
): Promise<void> {
  const { tenant, userId } = owner
  await changeFactors(deps, owner, async (tx) => {
    if (!(await deleteRow(tx, { tenant, userId, id }))) throw refuse(ErrorReason.FACTOR_NOT_FOUND)
    return { result: undefined, changed: 'passkey_removed' }
  })
  deps.log.info({ tenant, person: userId, passkey: id }, 'passkey removed')
}
