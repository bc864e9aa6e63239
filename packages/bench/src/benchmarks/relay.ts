import type { Benchmark } from '../benchmark.ts'
import { cores, startChild } from '../child.ts'
import type { PublishBareActs } from '../programs/publish-bare.ts'
import type { RelayOutboxActs } from '../programs/relay-outbox.ts'
import { openRoad } from '../road.ts'
import { alternate } from '../rounds.ts'
import { ratioOf, spreadOf } from '../statistics.ts'

/** How fast an outbox that filled up gets empty. */
export const relay: Benchmark = {
  name: 'relay',
  about: 'committed outbox rows to acknowledged JetStream messages: stamped, read, published and marked, from a full outbox',
  alone: true,
  async run(bench) {
    await using road = await openRoad(bench.effort)
    await using ours = await startChild<RelayOutboxActs>('relay-outbox', cores.server)
    await using bare = await startChild<PublishBareActs>('publish-bare', cores.server)
    const eventsIn = (seconds: number) => Math.max(1000, Math.round(seconds * 15_000))
    const results = await alternate(
      { ...bench.effort, rounds: Math.min(5, bench.effort.rounds) },
      {
        gatehouse: (seconds) => ours.call('run', { databaseUrl: road.writerUrl, natsUrl: road.natsUrl, events: eventsIn(seconds) }),
        bare: (seconds) => bare.call('run', { natsUrl: road.natsUrl, events: eventsIn(seconds) }),
      },
    )
    const row = {
      name: 'relay',
      unit: 'events/s',
      figure: spreadOf(results.gatehouse),
      against: { name: 'bare pipelined publish', figure: spreadOf(results.bare) },
      ratio: ratioOf(results.gatehouse, results.bare),
      conditions: { events: eventsIn(bench.effort.seconds) },
    }
    return [
      { ...row, what: 'events', goal: { of: 'ratio', least: 0.45 } },
      { ...row, what: 'events, by themselves', goal: { of: 'figure', least: 20_000 } },
    ]
  },
}
