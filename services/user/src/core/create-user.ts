import { ErrorReason } from '@gatehouse/contracts/gatehouse/user/v1/error_reason_pb'
import { UserInvitedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { addEvent, eventRow } from '@gatehouse/events'
import { once, type Request, transact } from '@gatehouse/postgres'
import { emailKey } from '@gatehouse/rpc'
import { v7 as uuidv7 } from 'uuid'
import { findUser, insertUser, type NewUser, type UserRow } from '../store/users.ts'
import { eventAbout } from './change-user.ts'
import type { Deps } from './deps.ts'
import { nameKey } from './keys.ts'
import { canonicalLocale, defaultLocale, refuseUnknown } from './profile-values.ts'
import { refuse } from './refuse.ts'

export type CreateUser = {
  tenant: string
  name: string
  email: string
  /** Empty takes the default. */
  locale: string
  /** Empty when a machine invites. */
  inviterId: string
  request: Omit<Request, 'tenant'>
}

/** Invites a person. The same request again answers the person that it made, as they are now. */
export async function createUser(deps: Deps, input: CreateUser): Promise<UserRow> {
  refuseUnknown(input)
  const { tenant, name, email, locale, inviterId, request } = input
  const user: NewUser = {
    tenant,
    id: uuidv7(),
    state: 'invited',
    email,
    email_key: emailKey(email),
    email_verified: false,
    name,
    name_key: nameKey(name),
    locale: canonicalLocale(locale || defaultLocale) ?? defaultLocale,
  }
  const event = eventAbout({ ...user, version: 1n }, UserInvitedSchema, { inviterId })
  const promised = request.requestId === '' ? undefined : request
  return deps.addUser({ user, event: eventRow(event), request: promised }, async () => {
    const { made, repeated } = await transact(deps.db, async (tx) => {
      let created: UserRow | undefined
      const { id, repeated } = await once(tx, { tenant, ...request }, async () => {
        created = await insertUser(tx, user)
        if (!created) throw refuse(ErrorReason.EMAIL_TAKEN)
        await addEvent(tx, event)
        return created.id
      })
      const made = created ?? (await findUser(tx, { tenant, id }))
      if (!made) throw new Error(`a kept request names user ${id}, who has no row`)
      return { made, repeated }
    })
    if (!repeated) deps.committed()
    return made
  })
}
