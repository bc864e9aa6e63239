import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, startNats } from '@gatehouse/testkit'
import type { Benchmark, Finding } from '../benchmark.ts'
import { cores, startChild } from '../child.ts'
import type { PublishBareActs } from '../programs/publish-bare.ts'
import { alternate } from '../rounds.ts'
import { ratioOf, spreadOf } from '../statistics.ts'

/** What each message costs that is on the disk before it is acknowledged. */
export const natsSync: Benchmark = {
  name: 'nats-sync',
  about:
    'messages acknowledged by JetStream that are on the disk by then (sync_interval: always), on one node and on two of three, against those that are there within two minutes, its default; on one machine the three share a disk',
  alone: true,
  async run({ effort }) {
    await using opening = new AsyncDisposableStack()
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-bench-sync-'))
    opening.defer(() => rm(folder, { recursive: true, force: true }))
    const publisher = opening.use(await startChild<PublishBareActs>('publish-bare', cores.server))
    const open = async (nodes: 1 | 3, syncInterval: '2m' | 'always') => {
      const ports = await Promise.all(Array.from({ length: nodes }, freePort))
      const places = await Promise.all(
        ports.map(async (port, i) => ({
          cluster: `sync-${syncInterval}`,
          server: `node-${i}`,
          port,
          ports,
          monitorPort: await freePort(),
        })),
      )
      const servers = await Promise.all(
        places.map((place, i) =>
          startNats({ storeDir: join(folder, `${nodes}-${syncInterval}-${i}`), syncInterval, ...(nodes > 1 && { cluster: place }) }),
        ),
      )
      for (const server of servers) opening.use(server)
      return { natsUrl: servers.map(({ url }) => url).join(','), replicas: nodes }
    }
    const findings: Finding[] = []
    for (const nodes of [1, 3] as const) {
      const [lazy, always] = await Promise.all([open(nodes, '2m'), open(nodes, 'always')])
      const turn = (road: Awaited<ReturnType<typeof open>>, perSecond: number) => async (seconds: number) => {
        const many = await publisher.call('run', { ...road, events: Math.max(300, Math.round(seconds * perSecond)) })
        const times = await publisher.call('oneByOne', { ...road, events: Math.max(20, Math.round(seconds * 100)) })
        return { many, median: times.toSorted()[times.length >> 1] ?? Number.NaN }
      }
      const rounds = { ...effort, rounds: Math.min(5, effort.rounds), warmUpSeconds: Math.min(0.5, effort.warmUpSeconds) }
      const results = await alternate(rounds, { lazy: turn(lazy, 5000), always: turn(always, 500) })
      const place = nodes === 1 ? 'one node' : 'three nodes'
      const row = (what: string, unit: string, of: (result: { many: number; median: number }) => number): Finding => {
        const [ours, theirs] = [results.always.map(of), results.lazy.map(of)]
        return {
          name: 'nats-sync',
          what,
          unit,
          figure: spreadOf(ours),
          against: { name: 'synced every two minutes', figure: spreadOf(theirs) },
          ratio: ratioOf(ours, theirs),
        }
      }
      findings.push(
        row(`events to ${place}, 256 at once`, 'events/s', ({ many }) => many),
        row(`one event after the other to ${place}, p50`, 'ms', ({ median }) => median),
      )
    }
    return findings
  },
}
