import type { Db } from '@gatehouse/postgres'
import { type BatchObservableResult, metrics } from '@opentelemetry/api'
import type { DeliveryOutcome } from '../core/deliveries/deliver.ts'
import { measureDueDeliveries } from '../store/deliveries.ts'
import type { Schema } from '../store/schema.ts'

export interface DeliveryMeter {
  count(outcome: DeliveryOutcome, template: string): void
  /** A mail was taken so long after it was due for the first time. */
  delivered(urgent: boolean, seconds: number): void
  stop(): void
}

/** Counts tries, and observes the queue whenever somebody reads the metrics; while the database is away there is nothing to tell about it. */
export function meterDeliveries(db: Db<Schema>): DeliveryMeter {
  // Asked for here and not when the module is loaded: until telemetry has started, a meter measures nothing.
  const meter = metrics.getMeter('@gatehouse/notification')
  const tries = meter.createCounter('gatehouse.mail.tries', { description: 'Tries to send a mail, by outcome and template' })
  // An alarm on a counter that appears with its first count misses that one.
  tries.add(0, { outcome: 'failed' satisfies DeliveryOutcome })
  const delay = meter.createHistogram('gatehouse.mail.delay', {
    unit: 's',
    description: 'Time from when a mail was due to the mail server taking it.',
    advice: { explicitBucketBoundaries: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14_400, 86_400] },
  })
  const lanes = { true: { urgent: 'true' }, false: { urgent: 'false' } }
  const due = meter.createObservableGauge('gatehouse.mail.due', { description: 'Mails that should be gone by now' })
  const oldest = meter.createObservableGauge('gatehouse.mail.oldest', {
    description: 'For how long the oldest of them should be gone',
    unit: 's',
  })
  const observe = async (result: BatchObservableResult): Promise<void> => {
    const queue = await measureDueDeliveries(db).catch(() => undefined)
    if (!queue) return
    result.observe(due, queue.count)
    result.observe(oldest, queue.oldestSeconds)
  }
  meter.addBatchObservableCallback(observe, [due, oldest])
  return {
    delivered: (urgent, seconds) => delay.record(seconds, lanes[`${urgent}`]),
    count: (outcome, template) => tries.add(1, { outcome, template }),
    stop: () => meter.removeBatchObservableCallback(observe, [due, oldest]),
  }
}
