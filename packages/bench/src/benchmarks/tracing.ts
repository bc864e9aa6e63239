import type { Benchmark, Finding } from '../benchmark.ts'
import { cores, startChild } from '../child.ts'
import type { TraceSinkActs } from '../programs/trace-sink.ts'
import { type Replica, startReplica } from '../replica.ts'
import { ratioOf, spreadOf } from '../statistics.ts'
import type { Side } from '../turn.ts'
import { planGetUser } from './get-user.ts'
import { processorOf, race } from './race.ts'

const connections = 64
const path = '/gatehouse.user.v1.UserService/GetUser'

/** What it costs that some calls, or all, leave spans: the same replica without a collector is the other side. */
export const tracing: Benchmark = {
  name: 'tracing',
  about:
    'GetUser over the web door, Postgres read each time: with a collector, at the default share of recorded traces and with all of them, against the same without a collector',
  async run(bench) {
    const house = await bench.house()
    const { local } = house
    const calls = await planGetUser(house, bench.effort.name === 'smoke' ? 50 : 1000)
    await using sink = await startChild<TraceSinkActs>('trace-sink', cores.client)
    const OTLP_ENDPOINT = `http://127.0.0.1:${await sink.call('listen')}`
    await using bare = await startReplica(local, 'user', cores.server, {})
    await using some = await startReplica(local, 'user', cores.server, { OTLP_ENDPOINT })
    await using all = await startReplica(local, 'user', cores.server, { OTLP_ENDPOINT, TRACE_SAMPLE_RATIO: '1' })
    const side = (replica: Replica): Side => ({
      protocol: 'http',
      order: async () => ({
        port: replica.ports.web,
        path,
        headers: [
          ['host', new URL(local.origin).host],
          ['content-type', 'application/proto'],
          ['connect-protocol-version', '1'],
          ['authorization', `Bearer ${await house.adminToken()}`],
        ],
        calls,
        inFlight: connections,
        connections,
      }),
      cpuSeconds: replica.cpuSeconds,
    })
    const turns = await race(bench, { without: side(bare), default: side(some), all: side(all) })
    if ((await sink.call('taken')) === 0) throw new Error('no span came to the collector')
    const perSecond = (name: keyof typeof turns) => turns[name].map((turn) => turn.perSecond)
    const row = (what: string, name: 'default' | 'all', least?: number): Finding => ({
      name: 'tracing',
      what,
      figure: spreadOf(perSecond(name)),
      unit: 'calls/s',
      against: { name: 'the same without a collector', figure: spreadOf(perSecond('without')) },
      ratio: ratioOf(perSecond(name), perSecond('without')),
      ...(least !== undefined && { goal: { of: 'ratio', least } }),
      conditions: { connections, ...processorOf(turns[name], turns.without) },
    })
    return [row('TRACE_SAMPLE_RATIO as it is by itself (0.05)', 'default', 0.9), row('every trace recorded', 'all')]
  },
}
