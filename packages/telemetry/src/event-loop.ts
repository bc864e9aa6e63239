import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import type { BatchObservableResult, Meter } from '@opentelemetry/api'

/** Node looks this often, and counts the pause itself as delay. */
const resolutionMs = 20

/** Shows how late the event loop comes to its work since the last look, by the OpenTelemetry conventions for Node.js; gives the function that ends it. */
export function observeEventLoop(meter: Meter): () => void {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs })
  histogram.enable()
  const p99 = meter.createObservableGauge('nodejs.eventloop.delay.p99', { unit: 's', description: 'Event loop 99 percentile delay.' })
  const max = meter.createObservableGauge('nodejs.eventloop.delay.max', { unit: 's', description: 'Event loop maximum delay.' })
  const busy = meter.createObservableGauge('nodejs.eventloop.utilization', { unit: '1', description: 'Event loop utilization.' })
  let before = performance.eventLoopUtilization()
  const see = (result: BatchObservableResult): void => {
    const delayOf = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - resolutionMs) / 1000
    result.observe(p99, delayOf(histogram.percentile(99)))
    result.observe(max, delayOf(histogram.max))
    histogram.reset()
    const now = performance.eventLoopUtilization()
    result.observe(busy, performance.eventLoopUtilization(now, before).utilization)
    before = now
  }
  meter.addBatchObservableCallback(see, [p99, max, busy])
  return () => {
    meter.removeBatchObservableCallback(see, [p99, max, busy])
    histogram.disable()
  }
}
