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
import { openPeopleDatabases, type PeopleDatabase } from '../people-database.ts'
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
  about: 'CreateUser over gRPC by an administrator: person and event in the outbox, in Postgres; one replica on one core',
  async run(bench) {
    const house = await bench.house()
    const { local } = house
    await using parts = new AsyncDisposableStack()
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-bench-create-'))
    parts.defer(() => rm(folder, { recursive: true, force: true }))
    // A broker of its own: in the house everybody who is invited would be sent a mail.
    const nats = parts.use(await startNats({ storeDir: folder, streams: true }))
    const databases = await openPeopleDatabases(local, ['bench_ours', 'bench_two', 'bench_one'])
    for (const database of databases) parts.use(database)
    const [mine, transactions, statements] = databases
    await pin(await postmasterOf(local.postgresUrl), cores.client)
    await restRelay(mine)
    const ours = parts.use(await startReplica(local, 'user', cores.server, { DATABASE_URL: mine.url, NATS_URL: nats.url }))
    const two = parts.use(await startChild<CreateUserByHandActs>('create-user-by-hand', cores.server))
    const one = parts.use(await startChild<CreateUserByHandActs>('create-user-by-hand', cores.server))

    const asked = new Map<PeopleDatabase, number>()
    const side = (
      port: number,
      { calls, cpuSeconds, into }: Pick<Side, 'cpuSeconds'> & { calls: readonly CallPlan[]; into: PeopleDatabase },
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
      after: async ({ nextNumber }) => void asked.set(into, nextNumber),
    })
    const results = await race(bench, {
      gatehouse: side(ours.ports.grpc, { calls: plain, cpuSeconds: ours.cpuSeconds, into: mine }),
      'gatehouse, with a request_id': side(ours.ports.grpc, { calls: repeatable, cpuSeconds: ours.cpuSeconds, into: mine }),
      'a transaction': side(await two.call('listen', { databaseUrl: transactions.url, by: 'transaction' }), {
        calls: plain,
        cpuSeconds: cpuOf(two),
        into: transactions,
      }),
      'one statement': side(await one.call('listen', { databaseUrl: statements.url, by: 'statement' }), {
        calls: plain,
        cpuSeconds: cpuOf(one),
        into: statements,
      }),
    })
    for (const [into, people] of asked) await check(into, people)

    const perSecond = (turns: readonly Turn[]) => turns.map((turn) => turn.perSecond)
    const row = (what: string, mine: readonly Turn[], peer: string, theirs: readonly Turn[], least?: number) => ({
      name: 'create-user',
      what,
      figure: spreadOf(perSecond(mine)),
      unit: 'people/s',
      against: { name: peer, figure: spreadOf(perSecond(theirs)) },
      ratio: ratioOf(perSecond(mine), perSecond(theirs)),
      ...(least !== undefined && { goal: { of: 'ratio' as const, least } }),
      conditions: { connections, relay: 'rests on all sides', ...processorOf(mine, theirs) },
    })
    const byTransaction = 'grpc-js + pg, a transaction of the two INSERTs'
    const byStatement = 'grpc-js + pg, one statement with a CTE'
    return [
      row('128 in flight', results.gatehouse, byTransaction, results['a transaction'], 1.5),
      row('128 in flight', results.gatehouse, byStatement, results['one statement'], 0.85),
      row(
        '128 in flight, with a request_id (by hand none)',
        results['gatehouse, with a request_id'],
        byStatement,
        results['one statement'],
      ),
    ]
  },
}

const email = `person-${ownNumber}@bench.example`
const name = `Person ${ownNumber}`
// Id and times, which stand before these, are the server's.
const answer = toBinary(UserSchema, create(UserSchema, { etag: 'v1', email, name, locale: 'en', state: User_State.INVITED, version: 1n }))
const plain = callsOf('')
const repeatable = callsOf(`0190a0de-0000-4000-8000-${ownNumber}`)

/** Equal but for the traceparent that each has. */
function callsOf(requestId: string): readonly CallPlan[] {
  const request = toBinary(CreateUserRequestSchema, create(CreateUserRequestSchema, { name, email, requestId }))
  return Array.from({ length: 64 }, () => ({ request, answer, numbered: true }))
}

/** What an event costs on its way out is the benchmark of the relay: here somebody else holds the lease, and events wait in the outbox. */
async function restRelay(database: PeopleDatabase): Promise<void> {
  await database.query(`update relay_lease set holder = 'bench', epoch = epoch + 1, expire_time = 'infinity' where name = 'relay'`)
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
