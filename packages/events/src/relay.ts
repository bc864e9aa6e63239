import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { StreamConfig } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/nats-core'
import { type BatchObservableResult, metrics } from '@opentelemetry/api'
import type { Kysely } from 'kysely'
import { Lease } from './lease.ts'
import { type Log, silent } from './log.ts'
import type { Nats } from './nats.ts'
import { outboxBacklog, placeWaiting, pruneOutbox } from './outbox.ts'
import { OutboxPass } from './outbox-pass.ts'
import { fixedSettings, requireStream, streamDifferences } from './stream.ts'
import { Wake } from './wake.ts'

export type RelayOptions<DB> = {
  readonly db: Kysely<DB>
  readonly nats: Nats
  /** Whose outbox this is: `user`, `auth`, `notification`. */
  readonly service: string
  readonly log?: Log
  /** How often an idle outbox is looked at. Default 100. */
  readonly pollMs?: number
  /** How long a holder that fell silent blocks its successor. Default 5000. */
  readonly leaseMs?: number
  /** How long published rows are kept for a replay. Default 7. */
  readonly keepDays?: number
  /** Rows read and published together. Default 1000. */
  readonly batchSize?: number
}

export type Relay = AsyncDisposable & {
  /** Call it after a commit that added events: they leave at once instead of at the next look. Costs nothing, never throws. */
  readonly nudge: () => void
  /** True while this process is the one that publishes. */
  readonly holds: () => boolean
}

const pruneEveryMs = 60_000
const pruneRows = 1000
const maxBackoffMs = 1000
/** Batches that get positions after each pass that failed. */
const placedAfterFailure = 10

/**
 * Publishes a service's outbox to its stream. Every replica runs one; a lease in the database picks the one that works.
 * Looking is the truth, and a nudge only a shortcut. While NATS or the database is away nothing is lost and nothing has to be done.
 */
export function createRelay<DB>(options: RelayOptions<DB>): Relay {
  const { db, nats, service, log = silent, pollMs = 100, leaseMs = 5000, keepDays = 7, batchSize = 1000 } = options
  const stop = new AbortController()
  const wake = new Wake()
  const lease = new Lease(db, `${hostname()}/${process.pid}/${randomUUID()}`, leaseMs)
  const nudges = `gatehouse.${service}.nudge`
  const subscribed = new WeakSet<NatsConnection>()
  let streamSeen = false
  let pruned = performance.now()

  const offConnect = nats.onConnect((connection) => {
    // A broker that comes back may have lost its streams.
    streamSeen = false
    // A connection that was mended keeps its subscriptions.
    if (!subscribed.has(connection)) connection.subscribe(nudges, { callback: () => wake.nudge() })
    subscribed.add(connection)
    wake.nudge()
  })

  /** What a holder works with; gone when its epoch is over or anything failed, because only then is it certain what the database knows. */
  let pass: OutboxPass | undefined
  const look = async (epoch: bigint): Promise<void> => {
    const connection = nats.current()
    if (connection === undefined) return place(epoch, () => nats.current() === undefined)
    if (!streamSeen) {
      tellDifferences(await requireStream(connection, service))
      streamSeen = true
    }
    if (pass?.epoch !== epoch)
      pass = new OutboxPass({
        db,
        service,
        epoch,
        batchSize,
        goOn: () => lease.epoch === epoch && !stop.signal.aborted,
        onFenced: () => lease.doubt(),
      })
    await pass.run(connection)
  }

  /** Only an operator changes a stream: while two releases run, either may be the one that it suits. */
  const tellDifferences = (found: StreamConfig): void => {
    const differences = streamDifferences(fixedSettings(service), found)
    if (differences.length > 0) log.warn({ differences }, 'the stream is not as it has to be: gatehouse migrate sets it right')
  }

  /** What the broker does not take gets its positions all the same, for those who read the outbox as a log. */
  const place = async (epoch: bigint, goOn: () => boolean): Promise<void> => {
    while (lease.epoch === epoch && !stop.signal.aborted && (await placeWaiting(db, epoch, batchSize)) === batchSize && goOn());
  }

  /** One piece at a time, so that nothing that is published waits for a million that were; true when there is more. */
  const prune = async (epoch: bigint): Promise<boolean> => {
    if (performance.now() - pruned < pruneEveryMs) return false
    const isMore = (await pruneOutbox(db, epoch, keepDays, pruneRows)) === pruneRows
    if (!isMore) pruned = performance.now()
    return isMore
  }

  const run = async (): Promise<void> => {
    for (let failures = 0; !stop.signal.aborted; ) {
      let waitMs = pollMs
      try {
        const epoch = lease.epoch ?? (await lease.takeOrKeep())
        if (epoch === undefined) waitMs = leaseMs / 5
        else {
          await look(epoch)
          if (await prune(epoch)) waitMs = 0
        }
        if (failures > 0) log.info({ failures }, 'the relay works again')
        failures = 0
      } catch (error) {
        streamSeen = false
        await pass?.end()
        pass = undefined
        // Not without bound: the broker may be back. Without a database there is nobody to tell.
        let batches = 0
        if (lease.epoch !== undefined) await place(lease.epoch, () => ++batches < placedAfterFailure).catch(() => {})
        if (failures === 0 && !stop.signal.aborted) log.warn({ err: error }, 'the relay cannot work, trying on')
        waitMs = Math.min(maxBackoffMs, 50 * 2 ** Math.min(failures, 10))
        failures++
      }
      await wake.wait(waitMs, stop.signal)
    }
    await pass?.end()
  }
  const running = run()
  // Apart from the passes: a long one must not lose the lease.
  const keeping = setInterval(() => {
    if (lease.epoch !== undefined) lease.takeOrKeep().catch(() => {})
  }, leaseMs / 4)
  const unobserve = observe(db, service, lease)

  return {
    holds: () => lease.epoch !== undefined,
    nudge() {
      wake.nudge()
      if (lease.epoch === undefined) nats.current()?.publish(nudges)
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      offConnect()
      unobserve()
      clearInterval(keeping)
      await running
      // Without a database the lease runs out by itself.
      await lease.release().catch(() => {})
    },
  }
}

function observe<DB>(db: Kysely<DB>, service: string, lease: Lease<DB>): () => void {
  const meter = metrics.getMeter('gatehouse.events')
  const depth = meter.createObservableGauge('gatehouse.outbox.depth', {
    description: 'Events that no broker has confirmed (counted up to 10,000)',
  })
  const age = meter.createObservableGauge('gatehouse.outbox.age', { description: 'Age of the oldest such event', unit: 's' })
  const leader = meter.createObservableGauge('gatehouse.relay.leader', { description: 'Whether this process publishes: 1 in one replica' })
  const see = async (result: BatchObservableResult): Promise<void> => {
    result.observe(leader, lease.epoch === undefined ? 0 : 1, { service })
    const backlog = await outboxBacklog(db).catch(() => undefined)
    if (backlog === undefined) return
    result.observe(depth, backlog.rows, { service })
    result.observe(age, backlog.oldestSeconds, { service })
  }
  meter.addBatchObservableCallback(see, [depth, age, leader])
  return () => meter.removeBatchObservableCallback(see, [depth, age, leader])
}
