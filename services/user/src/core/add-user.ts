import { type Db, joined } from '@gatehouse/postgres'
import { addUsers, type NewPerson } from '../store/add-users.ts'
import type { Schema } from '../store/schema.ts'
import type { UserRow } from '../store/users.ts'

/** Adds a person who is plainly new, with event and request; everybody else is left to `otherwise`, which finds out what is the matter. */
export type AddUser = (person: NewPerson, otherwise: () => Promise<UserRow>) => Promise<UserRow>

/** Adds those of one turn of the event loop with one statement and one commit. */
export function userAdder(db: Db<Schema>, committed: () => void): AddUser {
  const add = joined<{ person: NewPerson; otherwise: () => Promise<UserRow> }, UserRow>({
    async together(asked) {
      const users = await addUsers(
        db,
        asked.map(({ person }) => person),
      )
      if (users.some((user) => user !== undefined)) committed()
      return users
    },
    alone: ({ otherwise }) => otherwise(),
  })
  return (person, otherwise) => add({ person, otherwise })
}
