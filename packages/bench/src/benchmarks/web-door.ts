import type { Benchmark, Finding } from '../benchmark.ts'
import { cores, startChild } from '../child.ts'
import { benchToken, echoCalls, echoJsonCalls } from '../echo-calls.ts'
import { echoPath } from '../echo-contract.ts'
import type { EchoPeerActs } from '../programs/answer-parent.ts'
import type { EchoGatehouseActs } from '../programs/echo-gatehouse.ts'
import { countOfOurs, countOfPeer } from '../server-count.ts'
import { ratioOf, spreadOf } from '../statistics.ts'
import { cpuOf, type Side } from '../turn.ts'
import { processorOf, race } from './race.ts'
import { type CountedSide, raceByH2load } from './race-by-h2load.ts'

const connections = 64

/** Unary Connect over HTTP/1.1 as browsers send it, with everything on, against Connect's own plugin with nothing on. */
export const webDoor: Benchmark = {
  name: 'web-door',
  about: 'the same echo over Connect and HTTP/1.1, as browsers call, with everything on; the stock plugin has nothing else on',
  alone: true,
  async run(bench) {
    const { token, issuer } = await benchToken()
    await using ours = await startChild<EchoGatehouseActs>('echo-gatehouse', cores.server)
    await using stock = await startChild<EchoPeerActs>('echo-connect-fastify', cores.server)
    const { web, metrics } = await ours.call('listen', { issuer })
    const theirs = await stock.call('listen')
    const findings: Finding[] = []
    for (const [form, type, calls] of [
      ['JSON', 'application/json', echoJsonCalls],
      ['binary', 'application/proto', echoCalls],
    ] as const) {
      const side = (port: number, cpuSeconds: Side['cpuSeconds'], count: CountedSide['count']): CountedSide => ({
        protocol: 'http',
        order: async () => ({
          port,
          path: echoPath,
          headers: [
            ['host', 'localhost:8080'],
            ['content-type', type],
            ['connect-protocol-version', '1'],
            ['authorization', `Bearer ${token}`],
          ],
          calls,
          inFlight: connections,
          connections,
        }),
        cpuSeconds,
        count,
      })
      const sides = {
        gatehouse: side(web, cpuOf(ours), countOfOurs(ours, metrics)),
        'stock plugin': side(theirs, cpuOf(stock), countOfPeer(stock)),
      }
      const results = await race(bench, sides)
      const byH2load = await raceByH2load(bench, sides)
      const conditions = { connections, token_bytes: token.length }
      const row = (what: string, a: readonly number[], b: readonly number[]): Finding => ({
        name: 'web-door',
        what: `unary Connect, ${form}${what}`,
        figure: spreadOf(a),
        unit: 'calls/s',
        against: { name: `Fastify + connect plugin, ${form}`, figure: spreadOf(b) },
        ratio: ratioOf(a, b),
        goal: { of: 'ratio', least: 2.5 },
        conditions,
      })
      const [a = [], b = []] = [results.gatehouse, results['stock plugin']].map((turns) => turns.map(({ perSecond }) => perSecond))
      findings.push({ ...row('', a, b), conditions: { ...conditions, ...processorOf(results.gatehouse, results['stock plugin']) } })
      if (byH2load) findings.push(row(', by h2load', byH2load.gatehouse, byH2load['stock plugin']))
    }
    return findings
  },
}
