import type { Benchmark } from '../benchmark.ts'
import { cores, startChild } from '../child.ts'
import { somePeople } from '../people.ts'
import type { EventWatchActs } from '../programs/event-watch.ts'
import { percentile } from '../statistics.ts'

/** How soon the world knows. */
export const eventLatency: Benchmark = {
  name: 'event-latency',
  about:
    'from a change (UpdateUser over gRPC) until another program is told by NATS; the commit lies between the call and its answer, and the goal is held from the call on, which is the longer way',
  async run(bench) {
    const house = await bench.house()
    const { samples } = bench.effort
    const ids = await somePeople(house.local, 10_000, 200)
    const { GATEHOUSE_NATS_URL: natsUrl = '', GATEHOUSE_USER_URL: userUrl = '' } = house.example
    await using watch = await startChild<EventWatchActs>('event-watch', cores.client)
    await watch.call('open', { natsUrl, userUrl })
    const token = await house.adminToken()
    await watch.call('change', { token, ids, perSecond: 50, count: 2 * samples })
    const findings = []
    for (const { perSecond, count, goals } of [
      { perSecond: 20, count: 3 * samples, goals: { p50: 10, p99: undefined } },
      { perSecond: 500, count: 25 * samples, goals: { p50: 8, p99: 40 } },
    ]) {
      const { sinceCall, sinceAnswer } = await watch.call('change', { token, ids, perSecond, count })
      for (const [share, most] of [
        ['p50', goals.p50],
        ['p99', goals.p99],
      ] as const) {
        const at = (times: Float64Array) => percentile(times, Number(share.slice(1)) / 100)
        const goal = most === undefined ? undefined : ({ of: 'figure', most } as const)
        findings.push({
          name: 'event-latency',
          what: `${perSecond} changes/s, ${share}`,
          figure: { low: at(sinceAnswer), median: at(sinceCall), high: percentile(sinceCall, 1) },
          unit: 'ms',
          ...(goal && (perSecond === 20 ? { goal } : { aim: goal })),
          conditions: { changes: count, brackets: 'since the answer, and the longest' },
        })
        bench.say(
          `  ${perSecond}/s ${share}: ${at(sinceCall).toFixed(1)} ms since the call, ${at(sinceAnswer).toFixed(1)} ms since its answer`,
        )
      }
    }
    return findings
  },
}
