import { connect, copyRows, transact } from '@gatehouse/postgres'
import pg from 'pg'
import { idOf, linesOf } from './crowd.ts'
import { type House, openHouse } from './house.ts'
import { importPeople } from './import-people.ts'

/** A house of its own that more and more people come to live in. */
export interface GrowingHouse extends AsyncDisposable {
  readonly house: House
  /** All of them have this one. */
  readonly password: string
  readonly hash: string
  /** Sees to it that so many people live here, who can sign in, and stops the services meanwhile. */
  grow(people: number): Promise<void>
  /** Gives Postgres a quarter of the data as shared buffers, from a cold start, and starts the services again. */
  open(): Promise<Memory>
  /** When people were created. */
  timesOf(numbers: readonly number[]): Promise<readonly Date[]>
  /** Pages that were asked of the shared buffers so far, and those that were there. */
  pages(): Promise<{ asked: number; hit: number }>
}

/** What Postgres has to hold, and what it has to hold it in. */
export interface Memory {
  readonly dataMb: number
  readonly sharedBuffersMb: number
}

/** Below that, the connections alone would fill it. */
const leastBuffersMb = 16

export async function openGrowingHouse(): Promise<GrowingHouse> {
  await using opening = new AsyncDisposableStack()
  const house = opening.use(await openHouse())
  const { local } = house
  const model = JSON.parse(await local.gatehouse('auth', 'dev', 'person', 'model@bench.example')) as { user_id: string; password: string }
  const database = Object.assign(new URL(local.postgresUrl), { pathname: '/gatehouse' }).href
  const ask = async <Row extends object>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> => {
    const client = new pg.Client(database)
    await client.connect()
    try {
      return (await client.query<Row>(text, [...values])).rows
    } finally {
      await client.end()
    }
  }
  const [credential] = await ask<{ password_hash: string }>('select password_hash from gatehouse_auth.credentials where user_id = $1', [
    model.user_id,
  ])
  const hash = credential?.password_hash ?? ''
  const services = ['user', 'auth', 'notification'] as const
  let here = 0
  const owned = opening.move()
  return {
    house,
    password: model.password,
    hash,
    async grow(people) {
      await Promise.all(services.map((name) => local.stopService(name)))
      await importPeople(local.environment('user'), linesOf(here, people))
      await addCredentials(local.environment('auth').DATABASE_URL ?? '', hash, here, people)
      here = people
      // The events of a crowd: told to the others they would take them longer than everything that is measured here.
      await ask('truncate gatehouse_user.outbox')
      for (const table of ['gatehouse_user.users', 'gatehouse_auth.credentials']) await ask(`vacuum (analyze) ${table}`)
      // So that Postgres, when it is started anew, need not be waited for.
      await ask('checkpoint')
      const [counted] = await ask<{ users: string; credentials: string }>(
        'select (select count(*) from gatehouse_user.users) as users, (select count(*) from gatehouse_auth.credentials) as credentials',
      )
      if (Number(counted?.users) !== people + 1 || Number(counted?.credentials) !== people + 1)
        throw new Error(`${people} people were to come, and there are ${JSON.stringify(counted)}`)
    },
    async open() {
      const [size] = await ask<{ bytes: string }>('select pg_database_size(current_database()) as bytes')
      const dataMb = Math.round(Number(size?.bytes) / 2 ** 20)
      const sharedBuffersMb = Math.max(leastBuffersMb, Math.round(dataMb / 4))
      await ask(`alter system set shared_buffers = '${sharedBuffersMb}MB'`)
      await local.interrupt('postgres')
      await Promise.all(services.map((name) => local.startService(name)))
      return { dataMb, sharedBuffersMb }
    },
    async timesOf(numbers) {
      const ids = numbers.map(idOf)
      const rows = await ask<{ id: string; create_time: Date }>(
        "select id, create_time from gatehouse_user.users where tenant = 'default' and id = any($1)",
        [ids],
      )
      const times = new Map(rows.map(({ id, create_time }) => [id, create_time]))
      return ids.map((id) => times.get(id) ?? new Date(Number.NaN))
    },
    async pages() {
      const [row] = await ask<{ hit: string; asked: string }>(
        'select blks_hit as hit, blks_hit + blks_read as asked from pg_stat_database where datname = current_database()',
      )
      return { asked: Number(row?.asked), hit: Number(row?.hit) }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** All have one password: hashing one for each would take the machine days. */
async function addCredentials(url: string, hash: string, from: number, below: number): Promise<void> {
  await using database = connect<unknown>({ url, poolSize: 1, statementTimeoutMs: 600_000 })
  const now = new Date().toISOString()
  function* rows(at: number, end: number) {
    for (let number = at; number < end; number++) yield ['default', idOf(number), hash, 1, now, now]
  }
  const columns = ['tenant', 'user_id', 'password_hash', 'version', 'create_time', 'update_time']
  for (let at = from; at < below; at += 500_000)
    await transact(database.kysely, (tx) => copyRows(tx, { table: 'credentials', columns }, rows(at, Math.min(below, at + 500_000))))
}
