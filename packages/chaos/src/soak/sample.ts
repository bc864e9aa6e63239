import { readdir, readFile } from 'node:fs/promises'
import { roleOf, serviceNames } from '@gatehouse/local'
import { jetstreamManager } from '@nats-io/jetstream'
import type { Constellation } from '../constellation.ts'
import { connectBroker } from '../servers.ts'

/** What was counted at one moment. */
export interface Sample {
  readonly seconds: number
  /** By what it is of, such as `user.0 memory`. */
  readonly values: ReadonlyMap<string, number>
}

/** Tables whose rows are changed again and again: their size may grow with their live rows and not beside them. */
const churned = ['outbox', 'relay_lease', 'inbox', 'rate_limits', 'deliveries', 'pending_revocations', 'sessions', 'refresh_tokens']

/** Counts memory (MB) and handles of each replica, connections to Postgres, dead rows, and consumers of the streams. */
export async function measure(house: Constellation): Promise<Sample> {
  const values = new Map<string, number>()
  for (const { name, pid } of house.replicas) {
    if (pid === undefined) continue
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
    values.set(`${name} memory`, Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024)
    values.set(`${name} handles`, (await readdir(`/proc/${pid}/fd`).catch(() => [])).length)
  }
  const [connections] = await house.sql<{ n: number }>(
    `select count(*)::integer as n from pg_stat_activity where usename like 'gatehouse\\_%' and backend_type = 'client backend'`,
  )
  values.set('postgres connections', connections?.n ?? 0)
  const dead = await house.sql<{ table: string; n: number }>(
    `select schemaname || '.' || relname as table, n_dead_tup::integer as n from pg_stat_user_tables
     where schemaname = any($1) and relname = any($2)`,
    [serviceNames.map(roleOf), churned],
  )
  for (const { table, n } of dead) values.set(`${table} dead rows`, n)
  for (const [stream, n] of await consumerCounts(house)) values.set(`${stream} consumers`, n)
  return { seconds: performance.now() / 1000, values }
}

async function consumerCounts({ servers }: Constellation): Promise<[string, number][]> {
  const connection = await connectBroker(servers)
  try {
    const { streams } = await jetstreamManager(connection)
    const counts: [string, number][] = []
    for await (const { config, state } of streams.list()) counts.push([config.name, state.consumer_count])
    return counts
  } finally {
    await connection.close()
  }
}
