import type { Message } from '@bufbuild/protobuf'
import { type DescMessage, fromBinary } from '@bufbuild/protobuf'
import * as authEvents from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { eventMigrations } from '@gatehouse/events'
import { connect, postgresLimits, sharedMigrations } from '@gatehouse/postgres'
import { macKeys } from '@gatehouse/rpc'
import { createLogger } from '@gatehouse/telemetry'
import { testDatabase } from '@gatehouse/testkit'
import { sql } from 'kysely'
import { createBatches } from '../src/core/batches.ts'
import type { Deps } from '../src/core/deps.ts'
import { createKeyRing } from '../src/core/keys/key-ring.ts'
import { openBreachList } from '../src/core/passwords/breaches/breach-list.ts'
import { createHashPool } from '../src/core/passwords/hash-pool.ts'
import { createTenant } from '../src/core/tenants/create-tenant.ts'
import { migrations } from '../src/store/migrations/index.ts'
import type { Schema } from '../src/store/schema.ts'
import { type PeopleStandIn, standInForPeople } from './people-stand-in.ts'

/** The use cases over a database of their own. */
export interface OpenedDeps extends AsyncDisposable {
  readonly deps: Deps
  readonly people: PeopleStandIn
  readonly databaseUrl: string
  /** Of the superuser. */
  readonly adminDatabaseUrl: string
  /** Another process on the same database: a pool and caches of its own, the same people and clock. */
  replica(): Deps
  /** Moves the clock of every replica. */
  pass(seconds: number): void
  /** How often a use case said that there is something to publish. */
  commits(): number
  /** Events of the outbox about one key, in the order in which they were written. */
  eventsOf(key: string): Promise<Message[]>
}

export const origin = 'http://localhost:8080'

export async function openDeps(): Promise<OpenedDeps> {
  await using parts = new AsyncDisposableStack()
  const database = parts.use(await testDatabase({ service: 'auth', sets: [sharedMigrations, eventMigrations, migrations] }))
  const people = standInForPeople()
  const breaches = parts.use(await openBreachList({ log: createLogger({ service: 'auth', level: 'silent' }) }))
  let passedMs = 0
  let commits = 0

  function replica(): Deps {
    const { kysely: db } = owned.use(connect<Schema>({ url: database.url, poolSize: 10 }))
    const now = () => Date.now() + passedMs
    return {
      db,
      users: people.users,
      batches: createBatches({ db, users: people.users }),
      limits: postgresLimits(db),
      log: createLogger({ service: 'auth', level: 'silent' }),
      now,
      committed: () => void commits++,
      lifetimes: {
        accessTokenSeconds: 600,
        sessionIdleSeconds: 30 * 86_400,
        sessionAbsoluteSeconds: 90 * 86_400,
        refreshGraceSeconds: 30,
      },
      keys: createKeyRing({ db, encryptionKey: Buffer.alloc(32, 7), now }),
      audiences: ['orders'],
      challengeKeys: macKeys(Buffer.alloc(32, 8).toString('base64')),
      requestKeys: macKeys(Buffer.alloc(32, 9).toString('base64')),
      hashing: createHashPool(),
      breaches,
    }
  }

  let owned: AsyncDisposableStack = parts
  const deps = replica()
  await createTenant(deps, { id: 'default', origin })
  owned = parts.move()
  return {
    deps,
    people,
    databaseUrl: database.url,
    adminDatabaseUrl: database.adminUrl,
    replica,
    pass(seconds) {
      passedMs += seconds * 1000
    },
    commits: () => commits,
    async eventsOf(key) {
      const { rows } = await sql<{
        type: string
        payload: Uint8Array
      }>`select type, payload from outbox where key = ${key} order by version, id`.execute(deps.db)
      return rows.map(({ type, payload }) => fromBinary(schemaOf(type), payload))
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function schemaOf(type: string): DescMessage {
  const found = Object.values(authEvents).find((each) => 'typeName' in each && each.typeName === type)
  if (!found || !('kind' in found) || found.kind !== 'message') throw new TypeError(`${type} is no event of the auth service`)
  return found
}
