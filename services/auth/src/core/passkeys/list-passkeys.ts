import type { Passkey } from '@gatehouse/contracts/gatehouse/auth/v1/passkey_service_pb'
import { listPasskeys as listRows } from '../../store/passkeys.ts'
import type { Deps } from '../deps.ts'
import { describePasskey } from './describe-passkey.ts'

/** A person's passkeys, the oldest first. */
export async function listPasskeys(deps: Pick<Deps, 'db'>, person: { tenant: string; userId: string }): Promise<Passkey[]> {
  return (await listRows(deps.db, person)).map(describePasskey)
}
