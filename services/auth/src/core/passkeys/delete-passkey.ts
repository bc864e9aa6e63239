import { transact } from '@gatehouse/postgres'
import { findFactors } from '../../store/factors.ts'
import { deletePasskey as deleteRow } from '../../store/passkeys.ts'
import type { Deps } from '../deps.ts'
import { assertStrongEnough } from '../factors/assert-strong-enough.ts'
import { beginFactorChange } from '../factors/change-factors.ts'
import { ErrorReason, refuse } from '../refuse.ts'

export interface DeletePasskeyInput {
  readonly tenant: string
  readonly userId: string
  /** `gatehouse.options.v1.Strength` of the session. */
  readonly strength: number
  readonly id: string
}

/** Takes a passkey away. Sign-ins that it began come to nothing. */
export async function deletePasskey(deps: Pick<Deps, 'db' | 'log' | 'committed'>, input: DeletePasskeyInput): Promise<void> {
  const { tenant, userId, id } = input
  await transact(deps.db, async (tx) => {
    const change = await beginFactorChange(tx, { tenant, userId })
    const held = await findFactors(tx, { tenant, userId })
    assertStrongEnough(input.strength, held)
    if (!(await deleteRow(tx, { tenant, userId, id }))) throw refuse(ErrorReason.FACTOR_NOT_FOUND)
    await change.end('passkey_removed', held)
  })
  deps.committed()
  deps.log.info({ tenant, person: userId, passkey: id }, 'passkey removed')
}
