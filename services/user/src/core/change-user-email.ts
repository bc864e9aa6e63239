import { UserUpdatedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { emailKey } from '@gatehouse/rpc'
import type { UserKey, UserRow } from '../store/users.ts'
import { changeUser, requireState, telling } from './change-user.ts'
import type { Deps } from './deps.ts'

/** Gives an active person another address, or the same one in another spelling. */
export const changeUserEmail = (deps: Deps, { email, ...key }: UserKey & { email: string }): Promise<UserRow> =>
  changeUser(deps, key, (user) => {
    requireState(user, 'active')
    if (user.email === email) return undefined
    return {
      set: { email, email_key: emailKey(email), email_verified: true },
      tell: telling(UserUpdatedSchema, { changedFields: ['email'] }),
    }
  })
