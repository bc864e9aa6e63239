import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Local, runGatehouse } from '@gatehouse/local'
import { connect, copyRows, transact } from '@gatehouse/postgres'
import { startPostgres } from '@gatehouse/testkit'
import { cores } from './child.ts'
import { idOf, linesOf } from './crowd.ts'
import { importPeople } from './import-people.ts'
import { ask } from './imported-people.ts'
import { pin } from './processes.ts'
import { type Replica, startReplica } from './replica.ts'
import { together } from './together.ts'

/** A Postgres of its own in which a crowd lives, and the services that answer for it. */
export interface CrowdHome extends AsyncDisposable {
  readonly people: number
  readonly memory: Memory
  readonly user: Replica
  readonly auth: Replica
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

/** The megabytes, and where a quarter of the data is less than Postgres was given, how much that is. */
export function buffersSaid({ dataMb, sharedBuffersMb }: Memory): string {
  const quarter = Math.round(dataMb / 4)
  return quarter < sharedBuffersMb ? `${sharedBuffersMb} (the least; a quarter of the data is ${quarter})` : String(sharedBuffersMb)
}

/** Fills one and opens its doors: Postgres has a quarter of the data as shared buffers (`leastBuffersMb` at least), and shares a core with the clients. All people have the password of `hash`. Nobody goes on moving in when the signal is aborted. */
export async function openCrowdHome(which: {
  readonly local: Local
  readonly people: number
  readonly hash: string
  readonly natsUrl: string
  readonly durable: boolean
  readonly signal: AbortSignal
}): Promise<CrowdHome> {
  const { local, people, hash, natsUrl, durable, signal } = which
  await using opening = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-bench-crowd-'))
  opening.defer(() => rm(folder, { recursive: true, force: true }))
  const dataDir = join(folder, 'postgres')
  const first = await startPostgres({ dataDir, durable })
  let memory: Memory
  try {
    memory = await moveIn({ local, server: first.url, people, hash, signal })
  } finally {
    await first.stop()
  }
  signal.throwIfAborted()
  const postgres = opening.use(await startPostgres({ dataDir, durable }))
  await pin(postgres.pid, cores.client)
  // Several homes start at once: the processes get their core when they are there.
  const replica = async (name: 'user' | 'auth', more: Record<string, string> = {}): Promise<Replica> => {
    const env = { DATABASE_URL: databaseOf(postgres.url, name), NATS_URL: natsUrl, ...more }
    const started = opening.use(await startReplica(local, name, undefined, env))
    await pin(started.pid, cores.server)
    return started
  }
  const user = await replica('user')
  const auth = await replica('auth', { USER_URL: `127.0.0.1:${user.ports.grpc}` })
  const owned = opening.move()
  return {
    people,
    memory,
    user,
    auth,
    async timesOf(numbers) {
      const ids = numbers.map(idOf)
      const { rows } = await ask<{ id: string; create_time: Date }>(
        databaseOf(postgres.url, 'user'),
        "select id, create_time from users where tenant = 'default' and id = any($1)",
        [ids],
      )
      const times = new Map(rows.map(({ id, create_time }) => [id, create_time]))
      return ids.map((id) => times.get(id) ?? new Date(Number.NaN))
    },
    async pages() {
      const { rows } = await ask<{ hit: string; asked: string }>(
        postgres.url,
        "select sum(blks_hit) as hit, sum(blks_hit + blks_read) as asked from pg_stat_database where datname in ('user', 'auth')",
      )
      return { asked: Number(rows[0]?.asked), hit: Number(rows[0]?.hit) }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const databaseOf = (server: string, name: 'user' | 'auth'): string => Object.assign(new URL(server), { pathname: `/${name}` }).href

interface Crowd {
  readonly local: Local
  readonly server: string
  readonly people: number
  readonly hash: string
  readonly signal: AbortSignal
}

async function moveIn({ local, server, people, hash, signal }: Crowd): Promise<Memory> {
  const addUsers = async (either: AbortSignal): Promise<string> => {
    const url = await migrated(local, server, 'user')
    await importPeople({ ...local.environment('user'), DATABASE_URL: url }, linesOf(0, people), either)
    // The events of a crowd: told to the others they would take them longer than everything that is measured here.
    await ask(url, 'truncate outbox')
    await ask(url, 'vacuum (analyze) users')
    return url
  }
  const addPasswords = async (either: AbortSignal): Promise<string> => {
    const url = await migrated(local, server, 'auth')
    await addCredentials(url, hash, people, either)
    await ask(url, 'vacuum (analyze) credentials')
    return url
  }
  const [users = '', auth = ''] = await together([addUsers, addPasswords], signal)
  const { rows: counted } = await ask<{ n: string }>(users, 'select count(*) as n from users')
  const { rows: credentials } = await ask<{ n: string }>(auth, 'select count(*) as n from credentials')
  if (Number(counted[0]?.n) !== people || Number(credentials[0]?.n) !== people)
    throw new Error(`${people} people were to come, and there are ${counted[0]?.n} with ${credentials[0]?.n} passwords`)
  const { rows: size } = await ask<{ bytes: string }>(server, "select pg_database_size('user') + pg_database_size('auth') as bytes")
  const dataMb = Math.round(Number(size[0]?.bytes) / 2 ** 20)
  const sharedBuffersMb = Math.max(leastBuffersMb, Math.round(dataMb / 4))
  await ask(server, `alter system set shared_buffers = '${sharedBuffersMb}MB'`)
  // So that Postgres, when it is started anew, need not be waited for.
  await ask(server, 'checkpoint')
  return { dataMb, sharedBuffersMb }
}

async function migrated(local: Local, server: string, name: 'user' | 'auth'): Promise<string> {
  const url = databaseOf(server, name)
  await ask(server, `create role gatehouse_${name}`)
  await ask(server, `create database "${name}"`)
  await ask(server, `alter database "${name}" set search_path = gatehouse_${name}`)
  await runGatehouse(['migrate', name], { ...local.environment(name), DATABASE_URL: url })
  return url
}

/** All have one password: hashing one for each would take the machine days. */
async function addCredentials(url: string, hash: string, people: number, signal: AbortSignal): Promise<void> {
  await using database = connect<unknown>({ url, poolSize: 1, statementTimeoutMs: 600_000, connectTimeoutMs: 60_000 })
  const now = new Date().toISOString()
  function* rows(at: number, end: number) {
    for (let number = at; number < end; number++) yield ['default', idOf(number), hash, 1, now, now]
  }
  const columns = ['tenant', 'user_id', 'password_hash', 'version', 'create_time', 'update_time']
  for (let at = 0; at < people; at += 500_000) {
    signal.throwIfAborted()
    await transact(database.kysely, (tx) => copyRows(tx, { table: 'credentials', columns }, rows(at, Math.min(people, at + 500_000))))
  }
}
