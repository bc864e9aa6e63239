import { type User, User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { transact } from '@gatehouse/postgres'
import type { Deps } from '../deps.ts'
import { tellSuspicion } from './tell-suspicion.ts'

/**
 * Tells that somebody tries to get into a suspended account. Nobody is mailed: there is no session to end, suspended people are not written to, and whoever suspended them
 * has the event and the log. With a password it is not looked at whether it is right: nothing must depend on that.
 */
export async function tellSuspendedTried(
  deps: Pick<Deps, 'db' | 'now' | 'committed'>,
  tenant: string,
  user: User | undefined,
): Promise<void> {
  if (user?.state !== User_State.SUSPENDED) return
  const told = { tenant, userId: user.id, kinds: ['suspended_account_tried'], mail: false } as const
  if (await transact(deps.db, (tx) => tellSuspicion(tx, deps, told))) deps.committed()
}
