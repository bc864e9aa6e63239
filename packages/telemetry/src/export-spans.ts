import { type MeterProvider, type Tracer, trace } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import type { Resource } from '@opentelemetry/resources'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { HeadSampler } from './head-sampler.ts'

/** Options of {@link exportSpans}. */
export interface SpanExport {
  /** Base URL of the collector; `/v1/traces` is added. */
  readonly endpoint: string
  readonly resource: Resource
  /** Whether a trace that begins in this process is recorded. */
  readonly sample: () => boolean
  /** Where it is counted how many spans left and how many were lost. */
  readonly meters: MeterProvider
}

/** About 4 MiB at most, and a second of a busy replica. */
const waitingSpans = 8192
const exportEveryMs = 1000
const exportTimeoutMs = 5000

/**
 * Sends spans to a collector, in batches behind a queue that is bounded: where the collector is slow or away, spans are lost and counted, and calls neither wait
 * nor fail.
 */
export function exportSpans({ endpoint, resource, sample, meters }: SpanExport): { tracer: Tracer; shutdown(): Promise<void> } {
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, '')}/v1/traces`, timeoutMillis: exportTimeoutMs })
  const processor = new BatchSpanProcessor({
    exporter,
    maxQueueSize: waitingSpans,
    maxExportBatchSize: 1024,
    scheduledDelayMillis: exportEveryMs,
    exportTimeoutMillis: exportTimeoutMs,
    selfObsMeterProvider: meters,
  })
  const provider = new TracerProvider({ resource, sampler: new HeadSampler(sample), spanProcessors: [processor] })
  trace.setGlobalTracerProvider(provider)
  return { tracer: provider.getTracer('gatehouse.rpc'), shutdown: () => provider.shutdown() }
}
