import type { Benchmark, Finding } from '../benchmark.ts'
import { cores, startChild } from '../child.ts'
import { benchToken, echoCalls } from '../echo-calls.ts'
import { echoPath } from '../echo-contract.ts'
import type { EchoPeerActs } from '../programs/answer-parent.ts'
import type { EchoGatehouseActs } from '../programs/echo-gatehouse.ts'
import { countOfOurs, countOfPeer } from '../server-count.ts'
import { ratioOf, spreadOf } from '../statistics.ts'
import { cpuOf, type Side, type Turn } from '../turn.ts'
import { processorOf, race } from './race.ts'
import { type CountedSide, raceByH2load } from './race-by-h2load.ts'

const inFlight = 128
const connections = 4

/** An echo with everything on, against the bare engine and against Connect's own gRPC server. */
export const grpcDoor: Benchmark = {
  name: 'grpc-door',
  about: 'an echo with trace context, metrics, identity, access, validation and errors, over gRPC',
  alone: true,
  async run(bench) {
    const { token, issuer } = await benchToken()
    await using ours = await startChild<EchoGatehouseActs>('echo-gatehouse', cores.server)
    await using bare = await startChild<EchoPeerActs>('echo-grpc-js', cores.server)
    await using connect = await startChild<EchoPeerActs>('echo-connect-node', cores.server)
    const side = (port: number, cpuSeconds: Side['cpuSeconds'], count: CountedSide['count']): CountedSide => ({
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
      count,
    })
    const { grpc, metrics } = await ours.call('listen', { issuer })
    const sides = {
      gatehouse: side(grpc, cpuOf(ours), countOfOurs(ours, metrics)),
      'grpc-js': side(await bare.call('listen'), cpuOf(bare), countOfPeer(bare)),
      'connect-node': side(await connect.call('listen'), cpuOf(connect), countOfPeer(connect)),
    }
    const results = await race(bench, sides)
    const byH2load = await raceByH2load(bench, sides)
    const perSecond = (turns: readonly Turn[]) => turns.map((turn) => turn.perSecond)
    const conditions = { in_flight: inFlight, connections, token_bytes: token.length }
    const row = (what: string, peer: string, mine: readonly number[], theirs: readonly number[], least: number): Finding => ({
      name: 'grpc-door',
      what,
      figure: spreadOf(mine),
      unit: 'calls/s',
      against: { name: peer, figure: spreadOf(theirs) },
      ratio: ratioOf(mine, theirs),
      goal: { of: 'ratio', least },
      conditions,
    })
    return peers.flatMap(([name, peer, least]) => [
      {
        ...row('unary calls', peer, perSecond(results.gatehouse), perSecond(results[name]), least),
        conditions: { ...conditions, ...processorOf(results.gatehouse, results[name]) },
      },
      ...(byH2load ? [row('unary calls, by h2load', peer, byH2load.gatehouse, byH2load[name], least)] : []),
    ])
  },
}

const peers = [
  ['grpc-js', 'bare grpc-js echo', 0.8],
  ['connect-node', 'connect-node serving gRPC', 3],
] as const
