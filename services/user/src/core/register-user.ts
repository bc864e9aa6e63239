import { ErrorReason } from '@gatehouse/contracts/gatehouse/user/v1/error_reason_pb'
import { UserCreatedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { transact } from '@gatehouse/postgres'
import { emailKey } from '@gatehouse/rpc'
import { findUser, insertUser, type UserRow } from '../store/users.ts'
import { telling } from './change-user.ts'
import type { Deps } from './deps.ts'
import { nameKey } from './keys.ts'
import { canonicalLocale, defaultLocale } from './profile-values.ts'
import { refuse } from './refuse.ts'

export type RegisterUser = { tenant: string; id: string; name: string; email: string; locale: string }

/** Creates a person who has proven the mailbox. The same id again answers the person that it made, as they are now. */
export async function registerUser(deps: Deps, { tenant, id, name, email, locale }: RegisterUser): Promise<UserRow> {
  const { user, created } = await transact(deps.db, async (tx) => {
    const created = await insertUser(tx, {
      tenant,
      id,
      state: 'active',
      email,
      email_key: emailKey(email),
      email_verified: true,
      name,
      name_key: nameKey(name),
      // Whoever has proven a mailbox is not turned away for a language tag.
      locale: canonicalLocale(locale || defaultLocale) ?? defaultLocale,
    })
    if (created) {
      await telling(UserCreatedSchema)(tx, created)
      return { user: created, created: true }
    }
    const made = await findUser(tx, { tenant, id })
    if (!made) throw refuse(ErrorReason.EMAIL_TAKEN)
    return { user: made, created: false }
  })
  if (created) deps.committed()
  return user
}
