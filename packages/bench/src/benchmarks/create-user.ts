import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { create, toBinary } from '@bufbuild/protobuf'
import { User_State, UserSchema } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { CreateUserRequestSchema } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { startNats } from '@gatehouse/testkit'
import type { Benchmark } from '../benchmark.ts'
import { cores, startChild } from '../child.ts'
import type { CallPlan } from '../load/closed-loop.ts'
import { ownNumber } from '../load/own-number.ts'
import { openPeopleDatabase, type PeopleDatabase } from '../people-database.ts'
import { pin, postmasterOf } from '../processes.ts'
import type { CreateUserByHandActs } from '../programs/create-user-by-hand.ts'
import { startReplica } from '../replica.ts'
import { ratioOf, spreadOf } from '../statistics.ts'
import { cpuOf, type Side, type Turn } from '../turn.ts'
import { processorOf, race } from './race.ts'

const path = '/gatehouse.user.v1.UserService/CreateUser'
const inFlight = 128
const connections = 4

/** A write of a person with its event, against what one would write without us. */
export const createUser: Benchmark = {
  name: 'create-user',
  about:
    'CreateUser over gRPC by an administrator, with a request_id: person, event in the outbox and request in Postgres; one replica on one core',
  async run(bench) {
    const house = await bench.house()
    const { local } = house
    await using parts = new AsyncDisposableStack()
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-bench-create-'))
    parts.defer(() => rm(folder, { recursive: true, force: true }))
    // A broker of its own: in the house everybody who is invited would be sent a mail.
    const nats = parts.use(await startNats({ storeDir: folder }))
    const database = async (name: string) => parts.use(await openPeopleDatabase(local, name))
    const [mine, transactions, statements] = [await database('bench_ours'), await database('bench_two'), await database('bench_one')]
    await pin(await postmasterOf(local.postgresUrl), cores.client)
    const ours = parts.use(await startReplica(local, 'user', cores.server, { DATABASE_URL: mine.url, NATS_URL: nats.url }))
    const two = parts.use(await startChild<CreateUserByHandActs>('create-user-by-hand', cores.server))
    const one = parts.use(await startChild<CreateUserByHandActs>('create-user-by-hand', cores.server))

    const asked = new Map<PeopleDatabase, number>()
    const side = (
      port: number,
      { cpuSeconds, into, after }: Pick<Side, 'cpuSeconds'> & { into: PeopleDatabase; after?: () => Promise<void> },
    ): Side => ({
      protocol: 'grpc',
      order: async () => ({
        port,
        path,
        headers: [['authorization', `Bearer ${await house.adminToken()}`]],
        calls,
        inFlight,
        connections,
        firstNumber: asked.get(into) ?? 0,
      }),
      cpuSeconds,
      async after({ nextNumber }) {
        asked.set(into, nextNumber)
        await after?.()
      },
    })
    const left: number[] = []
    const results = await race(bench, {
      gatehouse: side(ours.ports.grpc, {
        cpuSeconds: ours.cpuSeconds,
        into: mine,
        after: async () => void left.push(await untilPublished(mine)),
      }),
      'a transaction': side(await two.call('listen', { databaseUrl: transactions.url, by: 'transaction' }), {
        cpuSeconds: cpuOf(two),
        into: transactions,
      }),
      'one statement': side(await one.call('listen', { databaseUrl: statements.url, by: 'statement' }), {
        cpuSeconds: cpuOf(one),
        into: statements,
      }),
    })
    for (const [into, people] of asked) await check(into, people)

    const perSecond = (turns: readonly Turn[]) => turns.map((turn) => turn.perSecond)
    const figures = perSecond(results.gatehouse)
    const row = (peer: string, theirs: readonly Turn[], least: number) => ({
      name: 'create-user',
      what: '128 in flight',
      figure: spreadOf(figures),
      unit: 'people/s',
      against: { name: peer, figure: spreadOf(perSecond(theirs)) },
      ratio: ratioOf(figures, perSecond(theirs)),
      goal: { of: 'ratio' as const, least },
      conditions: {
        connections,
        request_id: 'kept by us, ignored by hand',
        relay: 'ours runs, in the replica; by hand none',
        events_left_after_a_turn: spreadOf(left).median,
        ...processorOf(results.gatehouse, theirs),
      },
    })
    return [
      row('grpc-js + pg, a transaction of the two INSERTs', results['a transaction'], 1.5),
      row('grpc-js + pg, one statement with a CTE', results['one statement'], 0.85),
    ]
  },
}

const email = `person-${ownNumber}@bench.example`
const name = `Person ${ownNumber}`
const plan: CallPlan = {
  request: toBinary(
    CreateUserRequestSchema,
    create(CreateUserRequestSchema, { name, email, requestId: `0190a0de-0000-4000-8000-${ownNumber}` }),
  ),
  // Id and times, which stand before these, are the server's.
  answer: toBinary(UserSchema, create(UserSchema, { etag: 'v1', email, name, locale: 'en', state: User_State.INVITED, version: 1n })),
  numbered: true,
}
/** Equal but for the traceparent that each has. */
const calls: readonly CallPlan[] = Array.from({ length: 64 }, () => plan)

/** Waits until the relay has nothing left, so that it takes nothing from the other sides' turns; gives how much was left. */
async function untilPublished(database: PeopleDatabase): Promise<number> {
  const patience = performance.now() + 60_000
  let first: number | undefined
  for (;;) {
    const [row] = await database.query<{ left: number }>('select count(*)::integer as left from outbox where published_time is null')
    first ??= row?.left ?? 0
    if (row?.left === 0) return first
    if (performance.now() > patience) throw new Error(`after a minute ${row?.left} events are not published`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** There have to be as many people as calls, each with one event. */
async function check(database: PeopleDatabase, people: number): Promise<void> {
  const [row] = await database.query<{ people: number; told: number; events: number }>(
    `select count(*)::integer as people, count(event)::integer as told, (select count(*)::integer from outbox) as events
     from users left join (select key::uuid as id, count(*) as event from outbox group by key having count(*) = 1) as outbox using (id)`,
  )
  if (row?.people !== people || row.told !== people || row.events !== people)
    throw new Error(`${people} people were created, there are ${JSON.stringify(row)}`)
}
