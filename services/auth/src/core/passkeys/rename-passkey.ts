import type { Passkey } from '@gatehouse/contracts/gatehouse/auth/v1/passkey_service_pb'
import { renamePasskey as renameRow } from '../../store/passkeys.ts'
import type { Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { describePasskey } from './describe-passkey.ts'

/** Gives a person's passkey another name. */
export async function renamePasskey(
  deps: Pick<Deps, 'db'>,
  which: { tenant: string; userId: string; id: string; name: string },
): Promise<Passkey> {
  const row = await renameRow(deps.db, which)
  if (row === undefined) throw refuse(ErrorReason.FACTOR_NOT_FOUND)
  return describePasskey(row)
}
