import { UserUpdatedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { connectNats, defineConsumer, startConsumers } from '@gatehouse/events'
import { connect, type Db } from '@gatehouse/postgres'
import { sql } from 'kysely'
import { answerParent, type CommonActs } from './answer-parent.ts'
import { nowMs } from './monotonic.ts'

/** Another service with a database of its own, in which each event has its effect once. */
export interface EventReaderActs extends CommonActs {
  open(at: { readonly databaseUrl: string; readonly natsUrl: string }): Promise<void>
  /** Waits for these events and answers when the effect of each was committed. */
  seen(order: { readonly from: number; readonly count: number }): Promise<Float64Array>
}

const boundMs = 60_000
const times = new Map<number, number>()
let db: Db<unknown> | undefined

answerParent<Omit<EventReaderActs, 'usage'>>({
  async open({ databaseUrl, natsUrl }) {
    db = connect<unknown>({ url: databaseUrl }).kysely
    await sql`create table if not exists effects (version bigint primary key)`.execute(db)
    const nats = connectNats({ url: natsUrl, name: 'bench-reader' })
    const consumer = defineConsumer<typeof UserUpdatedSchema, unknown>({
      event: UserUpdatedSchema,
      handle: async (tx, { version }) => void (await sql`insert into effects (version) values (${version})`.execute(tx)),
      committed: ({ version }) => void times.set(Number(version), nowMs()),
    })
    startConsumers({ nats, db, service: 'bench-reader', consumers: [consumer] })
  },
  async seen({ from, count }) {
    const found = new Float64Array(count)
    for (const end = performance.now() + boundMs; ; ) {
      let missing = 0
      for (let number = 0; number < count; number++) {
        const time = times.get(from + number)
        if (time === undefined) missing++
        else found[number] = time
      }
      if (missing === 0) {
        await check(from, count)
        return found
      }
      if (performance.now() > end) throw new Error(`${missing} of ${count} events had no effect within ${boundMs} ms`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  },
})

/** Being told is not enough: the rows are there, each once (their primary key sees to that). */
async function check(from: number, count: number): Promise<void> {
  if (!db) throw new Error('not open')
  const { rows } = await sql<{
    effects: bigint
  }>`select count(*) as effects from effects where version between ${from} and ${from + count - 1}`.execute(db)
  if (Number(rows[0]?.effects) !== count) throw new Error(`${rows[0]?.effects} effects of ${count} events`)
}
