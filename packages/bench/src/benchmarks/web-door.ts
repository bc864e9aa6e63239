import type { Benchmark } from '../benchmark.ts'
import { cores, startChild } from '../child.ts'
import { benchToken, echoCalls, echoJsonCalls } from '../echo-calls.ts'
import { echoPath } from '../echo-contract.ts'
import type { EchoPeerActs } from '../programs/answer-parent.ts'
import type { EchoGatehouseActs } from '../programs/echo-gatehouse.ts'
import { ratioOf, spreadOf } from '../statistics.ts'
import { cpuOf, type Side } from '../turn.ts'
import { processorOf, race } from './race.ts'

const connections = 64

/** Unary Connect over HTTP/1.1 as browsers send it, with everything on, against Connect's own plugin with nothing on. */
export const webDoor: Benchmark = {
  name: 'web-door',
  about: 'the same echo over Connect and HTTP/1.1, as browsers call, with everything on; the stock plugin has nothing else on',
  async run(bench) {
    const { token, issuer } = await benchToken()
    await using ours = await startChild<EchoGatehouseActs>('echo-gatehouse', cores.server)
    await using stock = await startChild<EchoPeerActs>('echo-connect-fastify', cores.server)
    const [mine, theirs] = [(await ours.call('listen', { issuer })).web, await stock.call('listen')]
    const findings = []
    for (const [form, type, calls] of [
      ['JSON', 'application/json', echoJsonCalls],
      ['binary', 'application/proto', echoCalls],
    ] as const) {
      const side = (port: number, cpuSeconds: Side['cpuSeconds']): Side => ({
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
      })
      const results = await race(bench, { gatehouse: side(mine, cpuOf(ours)), 'stock plugin': side(theirs, cpuOf(stock)) })
      const [a, b] = [results.gatehouse, results['stock plugin']].map((turns) => turns.map(({ perSecond }) => perSecond))
      findings.push({
        name: 'web-door',
        what: `unary Connect, ${form}`,
        figure: spreadOf(a ?? []),
        unit: 'calls/s',
        against: { name: `Fastify + connect plugin, ${form}`, figure: spreadOf(b ?? []) },
        ratio: ratioOf(a ?? [], b ?? []),
        goal: { of: 'ratio' as const, least: 2.5 },
        conditions: { connections, token_bytes: token.length, ...processorOf(results.gatehouse, results['stock plugin']) },
      })
    }
    return findings
  },
}
