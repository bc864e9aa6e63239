import { setTimeout as delay } from 'node:timers/promises'
import { connectNats, createRelay } from '@gatehouse/events'
import { connect } from '@gatehouse/postgres'
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
    await nats.connected(AbortSignal.timeout(10_000))
    const began = performance.now()
    await using _relay = createRelay({ db, nats, service: 'user' })
    for (;;) {
      const { rows } = await sql<{ left: boolean }>`select exists (select from outbox where published_time is null) as left`.execute(db)
      if (rows[0]?.left === false) return (events / (performance.now() - began)) * 1000
      await delay(10)
    }
  },
})
