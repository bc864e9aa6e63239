import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import {
  BatchGetUsersRequestSchema,
  BatchGetUsersResponseSchema,
  GetUserRequestSchema,
  GetUserResponseSchema,
} from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { createWorkloadSigner, tenantHeader, workloadHeader } from '@gatehouse/identity'
import type { Benchmark } from '../benchmark.ts'
import { cores } from '../child.ts'
import type { CallPlan } from '../load/closed-loop.ts'
import { pin, postmasterOf } from '../processes.ts'
import { measuredReplica } from '../replica.ts'
import { ratioOf, spreadOf } from '../statistics.ts'
import type { Side, Turn } from '../turn.ts'
import { planGetUser } from './get-user.ts'
import { race } from './race.ts'

const of = 100
const batchesInFlight = 4
const connections = 4

/** Many people at once, against asking for each. */
export const batchGetUsers: Benchmark = {
  name: 'batch-get-users',
  about: 'BatchGetUsers of 100 people against 100 times GetUser, of one replica on one core, the same people in flight',
  async run(bench) {
    const house = await bench.house()
    const { local } = house
    const signer = await createWorkloadSigner(local.keyFile('example'))
    const single = await planGetUser(house, bench.effort.name === 'smoke' ? of : 10 * of)
    await pin(await postmasterOf(local.postgresUrl), cores.client)
    await using replica = await measuredReplica(bench, local, 'user')
    const side = (method: string, calls: readonly CallPlan[], inFlight: number): Side => ({
      protocol: 'grpc',
      order: async () => ({
        port: replica.ports.grpc,
        path: `/gatehouse.user.v1.UserService/${method}`,
        headers: [
          [workloadHeader, await signer.tokenFor('user')],
          [tenantHeader, 'default'],
        ],
        calls,
        inFlight,
        connections,
      }),
      cpuSeconds: replica.cpuSeconds,
    })
    const results = await race(bench, {
      'BatchGetUsers, calls': side('BatchGetUsers', batches(single), batchesInFlight),
      GetUser: side('GetUser', single, batchesInFlight * of),
    })
    const people = (turns: readonly Turn[], each: number) => turns.map(({ perSecond }) => perSecond * each)
    const together = people(results['BatchGetUsers, calls'], of)
    const apart = people(results.GetUser, 1)
    return [
      {
        name: 'batch-get-users',
        what: `of ${of}`,
        figure: spreadOf(together),
        unit: 'people/s',
        against: { name: `${of} × GetUser`, figure: spreadOf(apart) },
        ratio: ratioOf(together, apart),
        goal: { of: 'ratio', least: 8 },
        conditions: { people_in_flight: batchesInFlight * of, connections, asked_for: single.length },
      },
    ]
  },
}

/** The same people a hundred at a time, in the same order. */
function batches(single: readonly CallPlan[]): readonly CallPlan[] {
  return Array.from({ length: Math.floor(single.length / of) }, (_, batch) => {
    const plans = single.slice(batch * of, (batch + 1) * of)
    const ids = plans.map(({ request }) => fromBinary(GetUserRequestSchema, request).id)
    const users = plans.flatMap(({ answer }) => fromBinary(GetUserResponseSchema, answer).user ?? [])
    return {
      request: toBinary(BatchGetUsersRequestSchema, create(BatchGetUsersRequestSchema, { ids })),
      answer: toBinary(BatchGetUsersResponseSchema, create(BatchGetUsersResponseSchema, { users })),
    }
  })
}
