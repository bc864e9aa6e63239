import { UserCreatedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import type { UserKey, UserRow } from '../store/users.ts'
import { changeUser, requireState, telling } from './change-user.ts'
import type { Deps } from './deps.ts'

/** Makes an invited person active, who has proven the mailbox. */
export const activateUser = (deps: Deps, key: UserKey): Promise<UserRow> =>
  changeUser(deps, key, (user) => {
    if (user.state === 'active') return undefined
    requireState(user, 'invited')
    return { set: { state: 'active', email_verified: true }, tell: telling(UserCreatedSchema) }
  })
