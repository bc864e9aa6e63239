import { metrics } from '@opentelemetry/api'
import { type Kysely, sql } from 'kysely'

/** Milliseconds since 1970 as Postgres counts them, so that a machine whose clock is wrong makes and refuses no wrong tokens. */
export interface Clock extends AsyncDisposable {
  now(): number
}

const everyMs = 60_000
// Below this the difference is the network's, and nothing that we date is finer.
const insignificantMs = 500

/** Measures the own clock against the database's now and each minute. While it cannot, the last difference holds. */
export function followClock<DB>(db: Kysely<DB>): Clock {
  let offset = 0
  // Not asked for when the module is loaded: until telemetry has started, a meter measures nothing.
  const gauge = metrics.getMeter('@gatehouse/service').createObservableGauge('gatehouse.clock.offset', {
    unit: 'ms',
    description: "What is added to the machine's clock to have the database's",
  })
  gauge.addCallback((result) => result.observe(offset))

  async function measure(): Promise<void> {
    const before = Date.now()
    const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(db)
    const after = Date.now()
    const found = (rows[0]?.now.getTime() ?? after) - (before + after) / 2
    offset = Math.abs(found) < insignificantMs ? 0 : Math.round(found)
  }

  let running = measure().catch(() => undefined)
  const timer = setInterval(() => {
    running = measure().catch(() => undefined)
  }, everyMs).unref()
  return {
    now: () => Date.now() + offset,
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await running
    },
  }
}
