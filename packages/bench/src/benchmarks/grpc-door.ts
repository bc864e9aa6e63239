import type { Benchmark } from '../benchmark.ts'
import { cores, startChild } from '../child.ts'
import { benchToken, echoCalls } from '../echo-calls.ts'
import { echoPath } from '../echo-contract.ts'
import type { EchoPeerActs } from '../programs/answer-parent.ts'
import type { EchoGatehouseActs } from '../programs/echo-gatehouse.ts'
import { ratioOf, spreadOf } from '../statistics.ts'
import { cpuOf, type Side, type Turn } from '../turn.ts'
import { processorOf, race } from './race.ts'

const inFlight = 128
const connections = 4

/** An echo with everything on, against the bare engine and against Connect's own gRPC server. */
export const grpcDoor: Benchmark = {
  name: 'grpc-door',
  about: 'an echo with trace context, metrics, identity, access, validation and errors, over gRPC',
  async run(bench) {
    const { token, issuer } = await benchToken()
    await using ours = await startChild<EchoGatehouseActs>('echo-gatehouse', cores.server)
    await using bare = await startChild<EchoPeerActs>('echo-grpc-js', cores.server)
    await using connect = await startChild<EchoPeerActs>('echo-connect-node', cores.server)
    const side = (port: number, cpuSeconds: Side['cpuSeconds']): Side => ({
      protocol: 'grpc',
      order: async () => ({
        port,
        path: echoPath,
        headers: [['authorization', `Bearer ${token}`]],
        calls: echoCalls,
        inFlight,
        connections,
      }),
      cpuSeconds,
    })
    const results = await race(bench, {
      gatehouse: side((await ours.call('listen', { issuer })).grpc, cpuOf(ours)),
      'grpc-js': side(await bare.call('listen'), cpuOf(bare)),
      'connect-node': side(await connect.call('listen'), cpuOf(connect)),
    })
    const perSecond = (turns: readonly Turn[]) => turns.map((turn) => turn.perSecond)
    const conditions = { in_flight: inFlight, connections, token_bytes: token.length }
    const mine = perSecond(results.gatehouse)
    const row = (name: string, theirs: readonly Turn[]) => ({
      name: 'grpc-door',
      what: 'unary calls',
      figure: spreadOf(mine),
      unit: 'calls/s',
      against: { name, figure: spreadOf(perSecond(theirs)) },
      ratio: ratioOf(mine, perSecond(theirs)),
      conditions: { ...conditions, ...processorOf(results.gatehouse, theirs) },
    })
    return [
      { ...row('bare grpc-js echo', results['grpc-js']), goal: { of: 'ratio', least: 0.8 } },
      { ...row('connect-node serving gRPC', results['connect-node']), goal: { of: 'ratio', least: 3 } },
    ]
  },
}
