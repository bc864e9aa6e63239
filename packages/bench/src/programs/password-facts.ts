import { setTimeout as delay } from 'node:timers/promises'
import { create } from '@bufbuild/protobuf'
import { PasswordChangedSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { addEvent, connectNats, createRelay, type Relay } from '@gatehouse/events'
import { connect, type Db, transact } from '@gatehouse/postgres'
import { answerParent, type CommonActs } from './answer-parent.ts'
import { nowMs } from './monotonic.ts'

/** A replica of auth as far as its outbox goes: it commits that passwords were changed, and nobody's was. */
export interface PasswordFactsActs extends CommonActs {
  open(at: { readonly databaseUrl: string; readonly natsUrl: string }): Promise<void>
  /** One fact for each person, in even steps; answers when each commit was acknowledged. */
  tellSteadily(order: { readonly userIds: readonly string[]; readonly perSecond: number }): Promise<Float64Array>
  /** One fact for each person, all in one transaction: a backlog. */
  tellAtOnce(userIds: readonly string[]): Promise<void>
}

let db: Db<unknown> | undefined
let relay: Relay | undefined
let version = 1

answerParent<Omit<PasswordFactsActs, 'usage'>>({
  async open({ databaseUrl, natsUrl }) {
    db = connect<unknown>({ url: databaseUrl, poolSize: 4 }).kysely
    relay = createRelay({ db, nats: connectNats({ url: natsUrl, name: 'bench-facts' }), service: 'auth' })
  },
  async tellSteadily({ userIds, perSecond }) {
    const began = performance.now()
    const commits: Promise<number>[] = []
    for (const [number, userId] of userIds.entries()) {
      const due = began + (number * 1000) / perSecond
      if (due > performance.now()) await delay(due - performance.now())
      commits.push(commit([userId]))
    }
    return Float64Array.from(await Promise.all(commits))
  },
  async tellAtOnce(userIds) {
    await commit(userIds)
  },
})

async function commit(userIds: readonly string[]): Promise<number> {
  if (!db) throw new Error('not open')
  version++
  await transact(db, async (tx) => {
    for (const userId of userIds) {
      const message = create(PasswordChangedSchema, { userId, version: BigInt(version) })
      await addEvent(tx, { schema: PasswordChangedSchema, message, tenant: 'default', version })
    }
  })
  const committed = nowMs()
  relay?.nudge()
  return committed
}
