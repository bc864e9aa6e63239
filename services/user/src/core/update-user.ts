import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { UserUpdatedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { commonRefusal } from '@gatehouse/rpc'
import type { UserChanges, UserKey, UserRow } from '../store/users.ts'
import { changeUser, requireState, telling } from './change-user.ts'
import type { Deps } from './deps.ts'
import { etagOf } from './etag.ts'
import { nameKey } from './keys.ts'
import { canonicalLocale, refuseUnknown } from './profile-values.ts'

export type UpdateUser = UserKey & {
  /** Empty changes whatever the person has become meanwhile. */
  etag: string
  name?: string | undefined
  locale?: string | undefined
  /** Empty forgets it. */
  timeZone?: string | undefined
}

/** Changes the profile fields that are given. */
export async function updateUser(deps: Deps, { tenant, id, etag, name, locale, timeZone }: UpdateUser): Promise<UserRow> {
  refuseUnknown({ locale, timeZone })
  return changeUser(deps, { tenant, id }, (user) => {
    requireState(user, 'invited', 'active', 'suspended')
    if (etag !== '' && etag !== etagOf(user)) throw commonRefusal(ErrorReason.ETAG_MISMATCH)
    const set: UserChanges = {}
    const changedFields: string[] = []
    const change = (field: 'name' | 'locale' | 'time_zone', value: string | undefined): void => {
      if (value === undefined || value === user[field]) return
      set[field] = value
      changedFields.push(field)
    }
    change('name', name)
    change('locale', locale && canonicalLocale(locale))
    change('time_zone', timeZone)
    if (changedFields.length === 0) return undefined
    if (set.name !== undefined) set.name_key = nameKey(set.name)
    return { set, tell: telling(UserUpdatedSchema, { changedFields }) }
  })
}
