import { create } from '@bufbuild/protobuf'
import { UserCreatedSchema, UserInvitedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { addEvents } from '@gatehouse/events'
import { type Db, isUniqueViolation, transact } from '@gatehouse/postgres'
import { copyUsers, findKnown, type Known } from '../../store/copy-users.ts'
import type { Schema } from '../../store/schema.ts'
import type { NewUser } from '../../store/users.ts'
import type { Candidate, ImportedAs } from './person-of-line.ts'

/** What became of a batch. */
export type Written = { readonly imported: number; readonly existing: number; readonly taken: readonly Candidate[] }

const firstVersion = 1n

/**
 * Makes the writer of batches: each is one transaction of the people and their events. Batches are written as if nobody of them existed, which costs
 * nothing; the first one of which that is not true makes it look before it writes, until a batch is all new again.
 */
export function peopleWriter(
  db: Db<Schema>,
  { tenant, as }: { tenant: string; as: ImportedAs },
): (batch: readonly Candidate[]) => Promise<Written> {
  let looking = false
  return async (batch) => {
    const own = apart(batch, [])
    for (let attempt = 1; ; attempt++) {
      const { fresh, existing, taken } = looking
        ? apart(
            batch,
            await findKnown(
              db,
              tenant,
              batch.map(({ user }) => user),
            ),
          )
        : own
      looking = fresh.length < own.fresh.length
      try {
        if (fresh.length > 0) await write(db, tenant, as, fresh)
        return { imported: fresh.length, existing, taken }
      } catch (error) {
        // Somebody signed up meanwhile, or an earlier run had come this far.
        if (!isUniqueViolation(error) || attempt === maxAttempts) throw error
        looking = true
      }
    }
  }
}

const maxAttempts = 10

const write = (db: Db<Schema>, tenant: string, as: ImportedAs, users: readonly NewUser[]): Promise<unknown> =>
  transact(db, async (tx) => {
    await copyUsers(tx, users)
    const messages = users.map(({ id }) => ({ userId: id, version: firstVersion }))
    if (as === 'active')
      await addEvents(tx, { schema: UserCreatedSchema, tenant, messages: messages.map((each) => create(UserCreatedSchema, each)) })
    else await addEvents(tx, { schema: UserInvitedSchema, tenant, messages: messages.map((each) => create(UserInvitedSchema, each)) })
  })

/** Tells apart who is new, who exists, and whose address is another person's; what a file says twice counts the second time as known. */
function apart(batch: readonly Candidate[], known: readonly Known[]): { fresh: NewUser[]; existing: number; taken: Candidate[] } {
  const ids = new Set(known.map(({ id }) => id))
  const addresses = new Set(known.map(({ email_key }) => email_key))
  const fresh: NewUser[] = []
  const taken: Candidate[] = []
  let existing = 0
  for (const candidate of batch) {
    const { user, idGiven } = candidate
    const hasAddress = addresses.has(user.email_key)
    if (ids.has(user.id) || (hasAddress && !idGiven)) existing++
    else if (hasAddress) taken.push(candidate)
    else {
      ids.add(user.id)
      addresses.add(user.email_key)
      fresh.push(user)
    }
  }
  return { fresh, existing, taken }
}
