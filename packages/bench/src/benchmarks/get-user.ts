import { create, toBinary } from '@bufbuild/protobuf'
import { createClient } from '@connectrpc/connect'
import { GetUserRequestSchema, GetUserResponseSchema, UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { createWorkloadSigner, tenantHeader, workloadHeader } from '@gatehouse/identity'
import { forTenant, peerTransport } from '@gatehouse/rpc'
import type { Benchmark } from '../benchmark.ts'
import { cores, startChild } from '../child.ts'
import type { House } from '../house.ts'
import type { CallPlan } from '../load/closed-loop.ts'
import { somePeople } from '../people.ts'
import { pin, postmasterOf } from '../processes.ts'
import type { GetUserByHandActs } from '../programs/get-user-by-hand.ts'
import { measuredReplica } from '../replica.ts'
import { ratioOf, spreadOf } from '../statistics.ts'
import { cpuOf, type Side, type Turn } from '../turn.ts'
import { processorOf, race } from './race.ts'

const people = 10_000
const askedFor = 1000
const path = '/gatehouse.user.v1.UserService/GetUser'

/** A read of a person, from Postgres each time, against what one would write without us. */
export const getUser: Benchmark = {
  name: 'get-user',
  about: 'GetUser over gRPC by another workload: one replica on one core, Postgres read each time, nothing cached',
  async run(bench) {
    const house = await bench.house()
    const { local } = house
    const signer = await createWorkloadSigner(local.keyFile('example'))
    const calls = await planGetUser(house, bench.effort.name === 'smoke' ? 50 : askedFor)
    const databaseUrl = local.environment('user').DATABASE_URL ?? ''
    await pin(await postmasterOf(local.postgresUrl), cores.client)
    await using ours = await measuredReplica(bench, local, 'user')
    await using prepared = await startChild<GetUserByHandActs>('get-user-by-hand', cores.server)
    await using batching = await startChild<GetUserByHandActs>('get-user-by-hand', cores.server)
    const ports = {
      ours: ours.ports.grpc,
      prepared: await prepared.call('listen', { databaseUrl, batching: false }),
      batching: await batching.call('listen', { databaseUrl, batching: true }),
    }
    const side = (port: number, inFlight: number, cpuSeconds: Side['cpuSeconds']): Side => ({
      protocol: 'grpc',
      order: async () => ({
        port,
        path,
        headers: [
          [workloadHeader, await signer.tokenFor('user')],
          [tenantHeader, 'default'],
        ],
        calls,
        inFlight,
        connections: Math.min(4, inFlight),
      }),
      cpuSeconds,
    })
    const many = await race(bench, {
      gatehouse: side(ports.ours, 128, ours.cpuSeconds),
      'one statement a call': side(ports.prepared, 128, cpuOf(prepared)),
      'batched by hand': side(ports.batching, 128, cpuOf(batching)),
    })
    const alone = await race(bench, {
      gatehouse: side(ports.ours, 1, ours.cpuSeconds),
      'one statement a call': side(ports.prepared, 1, cpuOf(prepared)),
    })
    const row = (peer: string, theirs: readonly Turn[], least: number) => ({
      name: 'get-user',
      what: '128 in flight',
      figure: spreadOf(many.gatehouse.map(({ perSecond }) => perSecond)),
      unit: 'calls/s',
      against: { name: peer, figure: spreadOf(theirs.map(({ perSecond }) => perSecond)) },
      ratio: ratioOf(
        many.gatehouse.map(({ perSecond }) => perSecond),
        theirs.map(({ perSecond }) => perSecond),
      ),
      goal: { of: 'ratio' as const, least },
      conditions: { people, asked_for: calls.length, connections: 4, ...processorOf(many.gatehouse, theirs) },
    })
    const waits = (turns: readonly Turn[]) => turns.map(({ p50Ms }) => p50Ms)
    const single = alone['one statement a call']
    return [
      row('grpc-js + pg, one prepared statement a call', many['one statement a call'], 1.5),
      row('grpc-js + pg, batched by hand', many['batched by hand'], 0.85),
      {
        name: 'get-user',
        what: 'alone on the wire, p50',
        figure: spreadOf(waits(alone.gatehouse)),
        unit: 'ms',
        against: { name: 'grpc-js + pg, one prepared statement a call', figure: spreadOf(waits(single)) },
        ratio: ratioOf(waits(alone.gatehouse), waits(single)),
        goal: { of: 'ratio', most: 1.2 },
        conditions: { people, asked_for: calls.length, connections: 1 },
      },
    ]
  },
}

/** What will be asked of GetUser, and what has to be answered: found out once with our own client. */
export async function planGetUser({ local }: House, wanted: number): Promise<readonly CallPlan[]> {
  const ids = await somePeople(local, people, wanted)
  const signer = await createWorkloadSigner(local.keyFile('example'))
  await using transport = peerTransport({ target: 'user', url: `127.0.0.1:${local.ports.services.user.grpc}`, signer })
  const users = createClient(UserService, transport)
  return await Promise.all(
    ids.map(async (id) => {
      const answer = await users.getUser({ id }, forTenant('default', { timeoutMs: 30_000 }))
      if (answer.user?.id !== id) throw new Error(`GetUser of ${id} answered ${answer.user?.id}`)
      return {
        request: toBinary(GetUserRequestSchema, create(GetUserRequestSchema, { id })),
        answer: toBinary(GetUserResponseSchema, answer),
      }
    }),
  )
}
