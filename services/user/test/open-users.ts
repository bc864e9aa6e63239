import { type DescMessage, fromBinary, type Message } from '@bufbuild/protobuf'
import * as events from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { eventMigrations } from '@gatehouse/events'
import { connect, sharedMigrations } from '@gatehouse/postgres'
import { testDatabase } from '@gatehouse/testkit'
import { sql } from 'kysely'
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid'
import { userAdder } from '../src/core/add-user.ts'
import { createUser } from '../src/core/create-user.ts'
import type { Deps } from '../src/core/deps.ts'
import { registerUser } from '../src/core/register-user.ts'
import { migrations } from '../src/store/migrations/index.ts'
import type { Schema } from '../src/store/schema.ts'
import { type UserRow, userLoader } from '../src/store/users.ts'

export type Users = AsyncDisposable & {
  deps: Deps
  /** How often a use case said that there is something to do after its commit. */
  commits: () => number
  /** The events about a person, in the order of their versions. */
  eventsOf: (user: { tenant: string; id: string }) => Promise<Message[]>
  invite: (fields?: Partial<Parameters<typeof createUser>[1]>) => Promise<UserRow>
  register: (fields?: Partial<Parameters<typeof registerUser>[1]>) => Promise<UserRow>
}

/** The use cases over a database of their own. */
export async function openUsers(): Promise<Users> {
  const database = await testDatabase({ service: 'user', sets: [sharedMigrations, eventMigrations, migrations] })
  const connected = connect<Schema>({ url: database.url })
  const db = connected.kysely
  let commits = 0
  const committed = () => void commits++
  const deps: Deps = { db, loadUser: userLoader(db), addUser: userAdder(db, committed), letGo: async () => {}, committed }
  return {
    deps,
    commits: () => commits,
    async eventsOf({ tenant, id }) {
      const { rows } = await sql<{
        type: string
        payload: Uint8Array
        tenant: string
      }>`select type, payload from outbox where tenant = ${tenant} and key = ${id} order by version`.execute(db)
      return rows.map(({ type, payload }) => fromBinary(schemaOf(type), payload))
    },
    invite: (fields) =>
      createUser(deps, {
        tenant: 'default',
        name: 'Ada Lovelace',
        email: `${uuidv4()}@example.com`,
        locale: '',
        inviterId: '',
        request: { requestId: '', caller: 'person:1', method: 'CreateUser', fingerprint: '' },
        ...fields,
      }),
    register: (fields) =>
      registerUser(deps, {
        tenant: 'default',
        id: uuidv7(),
        name: 'Ada Lovelace',
        email: `${uuidv4()}@example.com`,
        locale: '',
        ...fields,
      }),
    async [Symbol.asyncDispose]() {
      await connected[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
    },
  }
}

const schemaOf = (type: string): DescMessage => {
  const found = Object.values(events).find((each) => 'typeName' in each && each.typeName === type)
  if (!found || !('kind' in found) || found.kind !== 'message') throw new TypeError(`${type} is no event of the user service`)
  return found
}
