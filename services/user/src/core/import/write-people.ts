import { create } from '@bufbuild/protobuf'
import { UserCreatedSchema, UserInvitedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { addEvents } from '@gatehouse/events'
import { type Db, isConflict, isUniqueViolation, transact } from '@gatehouse/postgres'
import { copyUsers, findKnown } from '../../store/copy-users.ts'
import type { Schema } from '../../store/schema.ts'
import type { NewUser } from '../../store/users.ts'
import type { Candidate, ImportedAs } from './person-of-line.ts'
import { type Taken, tellApart } from './tell-apart.ts'

/** What became of a batch. */
export type Written = { readonly imported: number; readonly existing: number; readonly taken: readonly Taken[] }

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
  const find = (batch: readonly Candidate[]) =>
    findKnown(
      db,
      tenant,
      batch.map(({ user }) => user),
    )
  return async (batch) => {
    const own = tellApart(batch, [])
    let left = Number.POSITIVE_INFINITY
    for (let fruitless = 0; ; ) {
      const { fresh, existing, taken } = looking ? tellApart(batch, await find(batch)) : own
      looking = fresh.length < own.fresh.length
      fruitless = fresh.length < left ? 0 : fruitless + 1
      left = fresh.length
      try {
        if (fresh.length > 0) await write(db, tenant, as, fresh.toSorted(byAddress))
        return { imported: fresh.length, existing, taken }
      } catch (error) {
        // Somebody signed up meanwhile, an earlier run had come this far, or another one brings the same people right now.
        if (!(isUniqueViolation(error) || isConflict(error)) || fruitless === maxFruitless) throw error
        looking = true
      }
    }
  }
}

/** How often in a row a batch is refused although nobody of it has come to be known; a rival's batch that went in is no reason to give up. */
const maxFruitless = 10

/** Everybody writes in this order, so that imports of the same people wait for each other one way and not in a ring. */
const byAddress = (one: NewUser, other: NewUser): number => (one.email_key < other.email_key ? -1 : one.email_key > other.email_key ? 1 : 0)

const write = (db: Db<Schema>, tenant: string, as: ImportedAs, users: readonly NewUser[]): Promise<unknown> =>
  transact(db, async (tx) => {
    await copyUsers(tx, users)
    const messages = users.map(({ id }) => ({ userId: id, version: firstVersion }))
    if (as === 'active')
      await addEvents(tx, { schema: UserCreatedSchema, tenant, messages: messages.map((each) => create(UserCreatedSchema, each)) })
    else await addEvents(tx, { schema: UserInvitedSchema, tenant, messages: messages.map((each) => create(UserInvitedSchema, each)) })
  })
