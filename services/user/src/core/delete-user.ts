import { UserDeletedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import type { UserChanges, UserKey, UserRow } from '../store/users.ts'
import { changeUser, telling } from './change-user.ts'
import type { Deps } from './deps.ts'

const emptied: UserChanges = {
  state: 'deleted',
  email: null,
  email_key: null,
  email_verified: false,
  name: '',
  name_key: null,
  locale: '',
  time_zone: '',
}

/** Empties the personal data, which frees the address; id, times and version stay, so that late events about the person can be told from new ones. */
export async function deleteUser(deps: Deps, key: UserKey): Promise<UserRow> {
  const known = await deps.loadUser(key)
  if (known !== undefined && known.state !== 'deleted') await deps.letGo(key)
  return await changeUser(deps, key, (user) =>
    user.state === 'deleted' ? undefined : { set: emptied, tell: telling(UserDeletedSchema), endSessions: true },
  )
}
