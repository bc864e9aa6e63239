import { setTimeout as delay } from 'node:timers/promises'
import { connectNats, createRelay } from '@gatehouse/events'
import { connect } from '@gatehouse/postgres'
import { jetstreamManager } from '@nats-io/jetstream'
import { sql } from 'kysely'
import { answerParent, type CommonActs } from './answer-parent.ts'

/** A relay that finds a full outbox. */
export interface RelayOutboxActs extends CommonActs {
  /** Fills an outbox with so many events of different keys, then relays them all; answers the events a second. */
  run(order: { readonly databaseUrl: string; readonly natsUrl: string; readonly events: number }): Promise<number>
}

answerParent<Omit<RelayOutboxActs, 'usage'>>({
  async run({ databaseUrl, natsUrl, events }) {
    await using database = connect<unknown>({ url: databaseUrl, statementTimeoutMs: 60_000 })
    const db = database.kysely
    await sql`delete from outbox`.execute(db)
    await sql`insert into outbox (tenant, id, type, subject, key, version, payload)
      select 'default', uuidv7(), 'gatehouse.user.v1.UserUpdated', 'gatehouse.user.v1.UserUpdated.default', n::text, 1, decode(repeat('0a', 40), 'hex')
      from generate_series(1, ${events}::integer) as n`.execute(db)
    await sql`analyze outbox`.execute(db)
    await using nats = connectNats({ url: natsUrl, name: 'bench-relay' })
    const connection = await nats.connected(AbortSignal.timeout(10_000))
    const { streams } = await jetstreamManager(connection)
    const stored = async (): Promise<number> => (await streams.info('gatehouse-user')).state.last_seq
    const storedBefore = await stored()
    const began = performance.now()
    await using _relay = createRelay({ db, nats, service: 'user' })
    for (let left = true; left; ) {
      await delay(10)
      // What waits has an index, with a position and without: the clock's hand weighs nothing.
      left =
        (
          await sql<{ left: boolean }>`select exists (select from outbox where position is null)
          or exists (select from outbox where position is not null and published_time is null) as left`.execute(db)
        ).rows[0]?.left ?? true
    }
    const perSecond = (events / (performance.now() - began)) * 1000
    const { rows } = await sql<{ marked: bigint }>`select count(published_time) as marked from outbox`.execute(db)
    const missing = [events - Number(rows[0]?.marked), events - ((await stored()) - storedBefore)]
    if (missing.some((count) => count !== 0)) throw new Error(`${missing[0]} events are not marked, and ${missing[1]} not in the stream`)
    return perSecond
  },
})
