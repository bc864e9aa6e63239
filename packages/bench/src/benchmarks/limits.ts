import { sharedMigrations } from '@gatehouse/postgres'
import type { Bench, Benchmark, Finding } from '../benchmark.ts'
import { cores, startChild } from '../child.ts'
import { makeMigratedDatabase } from '../databases.ts'
import { benchToken, echoCalls } from '../echo-calls.ts'
import { burstLimit, countedEchoPath, echoPath } from '../echo-contract.ts'
import { pin, postmasterOf } from '../processes.ts'
import type { EchoGatehouseActs } from '../programs/echo-gatehouse.ts'
import type { LimitBurstActs } from '../programs/limit-burst.ts'
import { ratioOf, spreadOf } from '../statistics.ts'
import { cpuOf, type Side, type Turn } from '../turn.ts'
import { processorOf, race } from './race.ts'

const inFlight = 128
const connections = 4

/** What it costs that a limit is exact, and that it is. */
export const limits: Benchmark = {
  name: 'limits',
  about:
    'the echo with a limit in its contract, counted in Postgres: 10,000 calls at once to two replicas, and what the counting costs beside the same RPC without',
  async run(bench) {
    const { local } = await bench.house()
    await pin(await postmasterOf(local.postgresUrl), cores.client)
    const limitsUrl = await makeMigratedDatabase(local.postgresUrl, 'bench_limits', [sharedMigrations])
    const { token, issuer } = await benchToken()
    await using one = await startChild<EchoGatehouseActs>('echo-gatehouse', cores.server)
    await using other = await startChild<EchoGatehouseActs>('echo-gatehouse', cores.server)
    const ports = await Promise.all([one, other].map(async (replica) => (await replica.call('listen', { issuer, limitsUrl })).grpc))
    return [await burst(bench, ports, token), ...(await cost(bench, ports[0] ?? 0, token, cpuOf(one)))]
  },
}

async function burst(bench: Bench, ports: readonly number[], token: string): Promise<Finding> {
  await using client = await startChild<LimitBurstActs>('limit-burst', cores.client)
  const calls = bench.effort.name === 'smoke' ? 5_000 : 10_000
  const admitted: number[] = []
  for (let round = 0; round < (bench.effort.name === 'full' ? 3 : 1); round++) {
    const passed = await client.call('run', { ports, token, text: `burst ${round}`, calls })
    if (passed !== burstLimit) throw new Error(`a limit of ${burstLimit} let ${passed} of ${calls} pass`)
    admitted.push(passed)
  }
  return {
    name: 'limits',
    what: `admitted of ${calls.toLocaleString('en-US')} calls at once, two replicas`,
    figure: spreadOf(admitted),
    unit: 'calls',
    goal: { of: 'figure', least: burstLimit, most: burstLimit },
    conditions: { bursts: admitted.length, calls_served_at_once: '10,000 a replica; 2,000 unless told' },
  }
}

async function cost(bench: Bench, port: number, token: string, cpuSeconds: Side['cpuSeconds']): Promise<readonly Finding[]> {
  const side = (path: string, calls: typeof echoCalls): Side => ({
    protocol: 'grpc',
    order: async () => ({ port, path, headers: [['authorization', `Bearer ${token}`]], calls, inFlight, connections }),
    cpuSeconds,
  })
  const results = await race(bench, {
    'one counter': side(countedEchoPath, echoCalls.slice(0, 1)),
    'many counters': side(countedEchoPath, echoCalls),
    'no limit': side(echoPath, echoCalls),
  })
  const perSecond = (turns: readonly Turn[]) => turns.map((turn) => turn.perSecond)
  const row = (what: string, turns: readonly Turn[]) => ({
    name: 'limits',
    what,
    figure: spreadOf(perSecond(turns)),
    unit: 'calls/s',
    against: { name: 'the same without a limit', figure: spreadOf(perSecond(results['no limit'])) },
    ratio: ratioOf(perSecond(turns), perSecond(results['no limit'])),
    conditions: { in_flight: inFlight, connections, ...processorOf(turns, results['no limit']) },
  })
  return [
    row('a limit, all calls in one counter', results['one counter']),
    row(`a limit, calls in ${echoCalls.length} counters`, results['many counters']),
  ]
}
