import { ErrorReason } from '@gatehouse/contracts/gatehouse/user/v1/error_reason_pb'
import { UserCreatedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { addEvent, eventRow } from '@gatehouse/events'
import { transact } from '@gatehouse/postgres'
import { emailKey } from '@gatehouse/rpc'
import { findUser, insertUser, type NewUser, type UserRow } from '../store/users.ts'
import { eventAbout } from './change-user.ts'
import type { Deps } from './deps.ts'
import { nameKey } from './keys.ts'
import { canonicalLocale, defaultLocale } from './profile-values.ts'
import { refuse } from './refuse.ts'

export type RegisterUser = { tenant: string; id: string; name: string; email: string; locale: string }

/** Creates a person who has proven the mailbox. The same id again answers the person that it made, as they are now. */
export async function registerUser(deps: Deps, { tenant, id, name, email, locale }: RegisterUser): Promise<UserRow> {
  const user: NewUser = {
    tenant,
    // As the database writes it: the event is found by it.
    id: id.toLowerCase(),
    state: 'active',
    email,
    email_key: emailKey(email),
    email_verified: true,
    name,
    name_key: nameKey(name),
    // Whoever has proven a mailbox is not turned away for a language tag.
    locale: canonicalLocale(locale || defaultLocale) ?? defaultLocale,
  }
  const event = eventAbout({ ...user, version: 1n }, UserCreatedSchema)
  return deps.addUser({ user, event: eventRow(event) }, async () => {
    const created = await transact(deps.db, async (tx) => {
      const created = await insertUser(tx, user)
      if (created) await addEvent(tx, event)
      return created
    })
    if (created) deps.committed()
    const made = created ?? (await findUser(deps.db, user))
    if (!made) throw refuse(ErrorReason.EMAIL_TAKEN)
    return made
  })
}
