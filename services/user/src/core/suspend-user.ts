import { UserSuspendedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import type { UserKey, UserRow } from '../store/users.ts'
import { changeUser, requireState, telling } from './change-user.ts'
import type { Deps } from './deps.ts'

/** Stops an active person and asks for the end of their sessions. */
export async function suspendUser(deps: Deps, key: UserKey): Promise<UserRow> {
  if ((await deps.loadUser(key))?.state === 'active') await deps.letGo(key)
  return await changeUser(deps, key, (user) => {
    if (user.state === 'suspended') return undefined
    requireState(user, 'active')
    return { set: { state: 'suspended' }, tell: telling(UserSuspendedSchema), endSessions: true }
  })
}
