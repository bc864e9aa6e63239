import type { BatchObservableResult, Meter } from '@opentelemetry/api'

/** Shows what the process takes of the machine, by the OpenTelemetry conventions for processes; gives the function that ends it. */
export function observeProcess(meter: Meter): () => void {
  const memory = meter.createObservableUpDownCounter('process.memory.usage', {
    unit: 'By',
    description: 'The amount of physical memory in use.',
  })
  const cpu = meter.createObservableCounter('process.cpu.time', {
    unit: 's',
    description: 'Total CPU seconds broken down by different states.',
  })
  const uptime = meter.createObservableGauge('process.uptime', { unit: 's', description: 'The time the process has been running.' })
  const see = (result: BatchObservableResult): void => {
    const { user, system } = process.cpuUsage()
    result.observe(memory, process.memoryUsage.rss())
    result.observe(cpu, user / 1e6, { 'cpu.mode': 'user' })
    result.observe(cpu, system / 1e6, { 'cpu.mode': 'system' })
    result.observe(uptime, process.uptime())
  }
  meter.addBatchObservableCallback(see, [memory, cpu, uptime])
  return () => meter.removeBatchObservableCallback(see, [memory, cpu, uptime])
}
