import { jetstreamManager } from '@nats-io/jetstream'
import { type BatchObservableResult, metrics } from '@opentelemetry/api'
import type { Nats } from './nats.ts'
import { streamOf } from './nats-names.ts'

export type LagOptions = {
  readonly nats: Nats
  readonly name: string
  readonly sources: readonly string[]
  readonly deadLetters: () => Promise<number>
}

/** Shows how many events wait for a consumer and how many were put aside; gives the function that ends it. */
export function observeLag({ nats, name, sources, deadLetters }: LagOptions): () => void {
  const meter = metrics.getMeter('gatehouse.events')
  const lag = meter.createObservableGauge('gatehouse.consumer.lag', { description: 'Events that are not handled yet' })
  const dead = meter.createObservableGauge('gatehouse.dead_letters', { description: 'Events that were put aside (counted up to 10,000)' })
  const see = async (result: BatchObservableResult): Promise<void> => {
    // A figure that cannot be had is left out.
    await deadLetters().then(
      (count) => result.observe(dead, count, { consumer: name }),
      () => {},
    )
    const connection = nats.current()
    if (connection === undefined) return
    const { consumers } = await jetstreamManager(connection, { checkAPI: false })
    for (const source of sources) {
      await consumers.info(streamOf(source), name).then(
        ({ num_pending, num_ack_pending }) => result.observe(lag, num_pending + num_ack_pending, { consumer: name, source }),
        () => {},
      )
    }
  }
  meter.addBatchObservableCallback(see, [lag, dead])
  return () => meter.removeBatchObservableCallback(see, [lag, dead])
}
