import { setTimeout as delay } from 'node:timers/promises'
import { create } from '@bufbuild/protobuf'
import { UserUpdatedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { addEvent, connectNats, createRelay, type Relay } from '@gatehouse/events'
import { connect, type Db, transact } from '@gatehouse/postgres'
import { answerParent, type CommonActs } from './answer-parent.ts'
import { nowMs } from './monotonic.ts'

/** A service that commits facts with their events and relays them. */
export interface EventWriterActs extends CommonActs {
  open(at: { readonly databaseUrl: string; readonly natsUrl: string }): Promise<void>
  /** Commits so many facts in even steps; answers when each commit was acknowledged, by its number. */
  write(order: { readonly count: number; readonly perSecond: number; readonly from: number }): Promise<Float64Array>
}

const mostUnderWay = 200
let db: Db<unknown> | undefined
let relay: Relay | undefined

answerParent<Omit<EventWriterActs, 'usage'>>({
  async open({ databaseUrl, natsUrl }) {
    // A busy machine makes the figure worse and does not fail the run.
    db = connect<unknown>({ url: databaseUrl, connectTimeoutMs: 30_000, statementTimeoutMs: 30_000 }).kysely
    const nats = connectNats({ url: natsUrl, name: 'bench-writer' })
    relay = createRelay({ db, nats, service: 'user' })
    while (!relay.holds()) await delay(10)
  },
  async write({ count, perSecond, from }) {
    const began = performance.now()
    const commits: Promise<number>[] = []
    const underWay = new Set<Promise<unknown>>()
    for (let number = 0; number < count; number++) {
      const due = began + (number * 1000) / perSecond
      if (due > performance.now()) await delay(due - performance.now())
      // A machine that cannot keep up writes fewer a second, and the latency is still that from the commit.
      while (underWay.size >= mostUnderWay) await Promise.race(underWay)
      const commit = writeOne(from + number)
      commits.push(commit)
      underWay.add(commit)
      const leave = () => void underWay.delete(commit)
      commit.then(leave, leave)
    }
    return Float64Array.from(await Promise.all(commits))
  },
})

async function writeOne(version: number): Promise<number> {
  if (!db) throw new Error('not open')
  const message = create(UserUpdatedSchema, { userId: crypto.randomUUID(), version: BigInt(version) })
  await transact(db, (tx) => addEvent(tx, { schema: UserUpdatedSchema, message, tenant: 'default', version }))
  const committed = nowMs()
  relay?.nudge()
  return committed
}
