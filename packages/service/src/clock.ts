import { metrics } from '@opentelemetry/api'
import { type Kysely, sql } from 'kysely'

/** Milliseconds since 1970 as Postgres counts them, so that a machine whose clock is wrong makes and refuses no wrong tokens. */
export interface Clock extends AsyncDisposable {
  now(): number
  /** Settles when the difference is known for the first time. */
  readonly measured: Promise<void>
}

const everyMs = 60_000
/** Until the database has told the time once. */
const firstRetryMs = 500
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

  const first = Promise.withResolvers<void>()
  let known = false
  let timer: NodeJS.Timeout | undefined
  let running = Promise.resolve()
  const follow = (): void => {
    running = measure().then(
      () => {
        known = true
        first.resolve()
        timer = setTimeout(follow, everyMs).unref()
      },
      () => {
        timer = setTimeout(follow, known ? everyMs : firstRetryMs).unref()
      },
    )
  }
  follow()
  return {
    now: () => Date.now() + offset,
    measured: first.promise,
    async [Symbol.asyncDispose]() {
      clearTimeout(timer)
      await running
      clearTimeout(timer)
    },
  }
}
