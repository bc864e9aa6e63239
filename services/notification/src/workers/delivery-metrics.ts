import type { Db } from '@gatehouse/postgres'
import { type BatchObservableResult, metrics } from '@opentelemetry/api'
import { measureDueDeliveries } from '../store/deliveries.ts'
import type { Schema } from '../store/schema.ts'

const meter = metrics.getMeter('@gatehouse/notification')

/** Tries by how they ended, and by template. */
export const outcomes = meter.createCounter('gatehouse.mail.tries', { description: 'Tries to send a mail, by outcome' })

const due = meter.createObservableGauge('gatehouse.mail.due', { description: 'Mails that should be gone by now' })
const age = meter.createObservableGauge('gatehouse.mail.oldest', {
  description: 'For how long the oldest of them should be gone',
  unit: 's',
})

/** Observes the queue whenever somebody reads the metrics; while the database is away there is nothing to tell. */
export function meterDeliveries(db: Db<Schema>): { stop(): void } {
  const observe = async (result: BatchObservableResult): Promise<void> => {
    const queue = await measureDueDeliveries(db).catch(() => undefined)
    if (!queue) return
    result.observe(due, queue.count)
    result.observe(age, queue.oldestSeconds)
  }
  meter.addBatchObservableCallback(observe, [due, age])
  return { stop: () => meter.removeBatchObservableCallback(observe, [due, age]) }
}
