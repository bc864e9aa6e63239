import type { Bench, Benchmark, Finding } from '../benchmark.ts'
import { cores, startChild } from '../child.ts'
import { somePeople } from '../people.ts'
import type { EventReaderActs } from '../programs/event-reader.ts'
import type { EventWatchActs } from '../programs/event-watch.ts'
import type { EventWriterActs } from '../programs/event-writer.ts'
import { openRoad } from '../road.ts'
import { percentile } from '../statistics.ts'

/** How soon the world knows. */
export const eventLatency: Benchmark = {
  name: 'event-latency',
  about:
    'from the commit of a fact in one service until its effect is committed in another; and, through the services themselves, from a call of UpdateUser until another program is told',
  async run(bench) {
    return [...(await overTheRoad(bench)), ...(await throughTheHouse(bench))]
  },
}

const rates = [
  { perSecond: 20, samples: 3, most: { p50: 10, p99: undefined } },
  { perSecond: 500, samples: 50, most: { p50: 8, p99: 40 } },
]

async function overTheRoad(bench: Bench): Promise<readonly Finding[]> {
  await using road = await openRoad(bench.effort)
  await using reader = await startChild<EventReaderActs>('event-reader', cores.client)
  await using writer = await startChild<EventWriterActs>('event-writer', cores.server)
  await writer.call('open', { databaseUrl: road.writerUrl, natsUrl: road.natsUrl })
  await reader.call('open', { databaseUrl: road.readerUrl, natsUrl: road.natsUrl })
  let from = 1
  const latencies = async (count: number, perSecond: number) => {
    const [seen, commits] = await Promise.all([reader.call('seen', { from, count }), writer.call('write', { from, count, perSecond })])
    from += count
    const times = seen.map((time, number) => time - (commits[number] ?? Number.NaN))
    const took = ((commits.at(-1) ?? Number.NaN) - (commits[0] ?? Number.NaN)) / 1000
    return { times, committed: Math.round((count - 1) / took) }
  }
  await latencies(10 * bench.effort.samples, 500)
  const findings: Finding[] = []
  for (const { perSecond, samples, most } of rates) {
    const count = samples * bench.effort.samples
    const { times, committed } = await latencies(count, perSecond)
    // A writer that cannot keep its pace would make the way look shorter than it is.
    const conditions = { events: count, 'committed a second': committed }
    findings.push({ ...rowOf(`commit to committed effect, ${perSecond}/s, p50`, times, 0.5, count, most.p50), conditions })
    findings.push({ ...rowOf(`commit to committed effect, ${perSecond}/s, p99`, times, 0.99, count, most.p99), conditions })
  }
  return findings
}

async function throughTheHouse(bench: Bench): Promise<readonly Finding[]> {
  const house = await bench.house()
  const { samples } = bench.effort
  const ids = await somePeople(house.local, 10_000, 200)
  const { GATEHOUSE_NATS_URL: natsUrl = '', GATEHOUSE_USER_URL: userUrl = '' } = house.example
  await using watch = await startChild<EventWatchActs>('event-watch', cores.client)
  await watch.call('open', { natsUrl, userUrl })
  const token = await house.adminToken()
  await watch.call('change', { token, ids, perSecond: 50, count: 2 * samples })
  const count = 3 * samples
  const { sinceCall, sinceAnswer } = await watch.call('change', { token, ids, perSecond: 20, count })
  return [
    rowOf('answer of UpdateUser to subscriber, 20/s, p50', sinceAnswer, 0.5, count, 10),
    rowOf('call of UpdateUser to subscriber, 20/s, p50', sinceCall, 0.5, count),
  ]
}

function rowOf(what: string, times: Float64Array, share: number, count: number, most?: number): Finding {
  const sorted = times.toSorted()
  return {
    name: 'event-latency',
    what,
    figure: { low: sorted[0] ?? Number.NaN, median: percentile(times, share), high: sorted.at(-1) ?? Number.NaN },
    unit: 'ms',
    ...(most !== undefined && { goal: { of: 'figure', most } as const }),
    conditions: { events: count },
  }
}
