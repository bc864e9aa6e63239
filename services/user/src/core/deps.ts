import type { BatchedRead, Db } from '@gatehouse/postgres'
import type { Schema } from '../store/schema.ts'
import type { UserKey, UserRow } from '../store/users.ts'
import type { AddUser } from './add-user.ts'

/** What the use cases need from outside. */
export type Deps = {
  readonly db: Db<Schema>
  /** Reads one person together with whoever else is read in the same turn of the event loop. */
  readonly loadUser: BatchedRead<UserKey, UserRow>
  /** Adds one person together with whoever else is added in the same turn of the event loop. */
  readonly addUser: AddUser
  /** Refuses to let somebody go without whom nobody could do everything any more. Never called with a transaction open. */
  readonly letGo: (person: UserKey) => Promise<void>
  /** Called after a commit that left events or pending revocations, so that nobody waits for the next poll. */
  readonly committed: () => void
}
