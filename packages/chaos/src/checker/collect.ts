import { roleOf, type ServiceName } from '@gatehouse/local'
import { DeliverPolicy, jetstream } from '@nats-io/jetstream'
import type pg from 'pg'
import type { Constellation } from '../constellation.ts'
import { connectBroker } from '../servers.ts'
import type { AuthRows, Evidence, NotificationRows, ServiceRows, StreamEvent, UserRows } from './evidence.ts'

type Sql = Constellation['sql']

/** Looks at everything once the dust has settled. */
export async function collect(house: Constellation, unsettled: readonly string[]): Promise<Evidence> {
  const { history, servers, publications, troubles, sql } = house
  const strangeIds = new Set(house.strange.map(({ id }) => id))
  const strangePlaces = new Set(house.strange.map(({ service, sequence }) => `${service} ${sequence}`))
  return {
    operations: history.operations,
    faults: history.faults,
    user: await userRows(sql),
    auth: await authRows(sql),
    notification: await notificationRows(sql),
    stream: (await streamEvents(servers)).filter(({ service, sequence }) => !strangePlaces.has(`${service} ${sequence}`)),
    publications: publications.seen.filter(({ id }) => !strangeIds.has(id)),
    mails: servers.mail.mails.map(({ messageId, to }) => ({ deliveryId: /^<?([^@>]+)@/.exec(messageId)?.[1] ?? messageId, to })),
    unsettled,
    troubles: [...troubles],
  }
}

async function rowsOf<T extends pg.QueryResultRow>(sql: Sql, service: ServiceName, columns: string, table: string): Promise<T[]> {
  return [...(await sql<T>(`select ${columns} from ${roleOf(service)}.${table}`))]
}

async function serviceRows(sql: Sql, service: ServiceName): Promise<ServiceRows> {
  const rows = <T extends pg.QueryResultRow>(columns: string, table: string) => rowsOf<T>(sql, service, columns, table)
  const lease = await rows<{ epoch: number }>('epoch::integer', 'relay_lease')
  return {
    outbox: await rows('tenant, id, type, key, version::integer, published_time is not null as published', 'outbox'),
    inbox: await rows('event_id, consumer', 'inbox'),
    requests: await rows('method, request_id, result_id', 'requests'),
    dead_letters: await rows('event_id, type, reason', 'dead_letters'),
    epoch: lease[0]?.epoch ?? 0,
  }
}

async function userRows(sql: Sql): Promise<UserRows> {
  return {
    ...(await serviceRows(sql, 'user')),
    users: await rowsOf(sql, 'user', 'id, version::integer, state, email, name', 'users'),
  }
}

async function authRows(sql: Sql): Promise<AuthRows> {
  const rows = <T extends pg.QueryResultRow>(columns: string, table: string) => rowsOf<T>(sql, 'auth', columns, table)
  return {
    ...(await serviceRows(sql, 'auth')),
    challenges: await rows('id, kind, user_id, mail_count', 'challenges'),
    sessions: await rows('id, user_id, version, end_time is not null as ended, end_cause', 'sessions'),
    credentials: await rows('user_id', 'credentials'),
    refresh_tokens: await rows(
      `encode(token_hash, 'hex') as token, session_id, use_time is not null as used, encode(successor_hash, 'hex') as successor`,
      'refresh_tokens',
    ),
  }
}

async function notificationRows(sql: Sql): Promise<NotificationRows> {
  const rows = <T extends pg.QueryResultRow>(columns: string, table: string) => rowsOf<T>(sql, 'notification', columns, table)
  return {
    ...(await serviceRows(sql, 'notification')),
    notifications: await rows('id, template, user_id, challenge_id', 'notifications'),
    deliveries: await rows('id, notification_id, state, version', 'deliveries'),
    inbox_items: await rows('user_id, kind, sequence', 'inbox_items'),
  }
}

/** All that the three streams hold. */
async function streamEvents(servers: Constellation['servers']): Promise<StreamEvent[]> {
  const connection = await connectBroker(servers)
  try {
    const events: StreamEvent[] = []
    for (const service of ['user', 'auth', 'notification']) {
      const consumer = await jetstream(connection).consumers.get(`gatehouse-${service}`, { deliver_policy: DeliverPolicy.All })
      const { num_pending: count } = await consumer.info()
      let read = 0
      if (count === 0) continue
      for await (const { seq, headers } of await consumer.consume()) {
        const of = (name: string) => headers?.get(name) ?? ''
        events.push({
          service,
          sequence: seq,
          id: of('ce-id'),
          type: of('ce-type'),
          key: of('ce-subject'),
          version: Number(of('ce-sequence')),
        })
        if (++read === count) break
      }
    }
    return events
  } finally {
    await connection.close()
  }
}
