import { UserReactivatedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import type { UserKey, UserRow } from '../store/users.ts'
import { changeUser, requireState, telling } from './change-user.ts'
import type { Deps } from './deps.ts'

/** Lets a suspended person sign in again; the sessions from before stay ended. */
export const reactivateUser = (deps: Deps, key: UserKey): Promise<UserRow> =>
  changeUser(deps, key, (user) => {
    if (user.state === 'active') return undefined
    requireState(user, 'suspended')
    return { set: { state: 'active' }, tell: telling(UserReactivatedSchema), spareLaterSessions: true }
  })
