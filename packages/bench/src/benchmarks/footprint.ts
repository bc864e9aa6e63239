import { setTimeout as delay } from 'node:timers/promises'
import { serviceNames } from '@gatehouse/local'
import type { Benchmark } from '../benchmark.ts'
import { residentBytes } from '../processes.ts'
import { spreadOf } from '../statistics.ts'

/** What a service holds of the machine's memory when nobody calls. */
export const footprint: Benchmark = {
  name: 'footprint',
  about: 'resident memory of each service (VmRSS) when nobody calls',
  async run(bench) {
    const { local } = await bench.house()
    // A process that served already keeps what it took: these are new.
    for (const name of bench.effort.name === 'smoke' ? [] : serviceNames) {
      await local.stopService(name)
      await local.startService(name)
    }
    const idleSeconds = bench.effort.name === 'smoke' ? 0 : 10
    await delay(idleSeconds * 1000)
    return Promise.all(
      serviceNames.map(async (name) => ({
        name: 'footprint',
        what: `${name}, idle`,
        figure: spreadOf([(await residentBytes(local.process(name).pid)) / 1e6]),
        unit: 'MB',
        goal: { of: 'figure' as const, most: 160 },
        conditions: { idle_seconds: idleSeconds },
      })),
    )
  },
}
