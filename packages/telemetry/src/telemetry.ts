import type { IncomingMessage, ServerResponse } from 'node:http'
import { context, metrics, propagation, type Tracer, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import { CheapHistograms } from './cheap-histograms.ts'
import { observeEventLoop } from './event-loop.ts'
import type { SpanExport } from './export-spans.ts'
import { observeProcess } from './process-usage.ts'
import { sampleByRatio } from './sample-by-ratio.ts'

/** What a process measures of itself. */
export interface Telemetry extends AsyncDisposable {
  /** What the doors make spans with; absent where no collector is named. */
  readonly tracing?: { readonly tracer: Tracer; readonly sample: () => boolean } | undefined
  /** Answers a request for `/metrics` in the Prometheus text format. */
  answerMetrics(request: IncomingMessage, response: ServerResponse): void
}

/** Options of {@link startTelemetry}. */
export interface TelemetryOptions {
  /** `service.name` of everything that is exported. */
  service: string
  /** Base URL of an OpenTelemetry collector (OTLP over HTTP); without it spans are not recorded, only trace ids are handed on. */
  otlpEndpoint?: string | undefined
  /** Of how many of the traces that begin here, from 0 to 1, spans are recorded; all of them unless given. */
  traceSampleRatio?: number
}

let running: { telemetry: Telemetry; users: number; stop: () => Promise<void> } | undefined

/**
 * Sets up OpenTelemetry for the process: metrics, the context that follows each call, and spans where a collector is named. Several services in one
 * process (tests) share one set-up, that of the first.
 */
export async function startTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  running ??= { ...(await setUp(options)), users: 0 }
  const own = running
  own.users++
  return {
    answerMetrics: own.telemetry.answerMetrics,
    tracing: own.telemetry.tracing,
    async [Symbol.asyncDispose]() {
      own.users--
      if (own.users > 0) return
      running = undefined
      await own.stop()
    },
  }
}

async function setUp({ service, otlpEndpoint, traceSampleRatio = 1 }: TelemetryOptions) {
  const resource = resourceFromAttributes({ 'service.name': `gatehouse-${service}`, 'service.namespace': 'gatehouse' })
  const contexts = new AsyncLocalStorageContextManager().enable()
  context.setGlobalContextManager(contexts)
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  const histograms = new CheapHistograms(resource)
  const exporter = new PrometheusExporter({ preventServerStart: true, metricProducers: [histograms] })
  const meters = new MeterProvider({ resource, readers: [exporter] })
  metrics.setGlobalMeterProvider({ getMeter: (name, ...about) => histograms.of(meters.getMeter(name, ...about), name) })
  const unobserve = [observeEventLoop, observeProcess].map((observe) => observe(meters.getMeter('gatehouse.telemetry')))
  const sample = sampleByRatio(traceSampleRatio)
  const spans = otlpEndpoint === undefined ? undefined : await startExport({ endpoint: otlpEndpoint, resource, sample, meters })
  return {
    telemetry: {
      tracing: spans && { tracer: spans.tracer, sample },
      answerMetrics: (request: IncomingMessage, response: ServerResponse) => exporter.getMetricsRequestHandler(request, response),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
    async stop() {
      for (const end of unobserve) end()
      // A collector that is away must not hold up the shutdown.
      await Promise.race([spans?.shutdown().catch(() => undefined), new Promise((resolve) => setTimeout(resolve, 2_000).unref())])
      await meters.shutdown()
      for (const api of [metrics, trace, context, propagation]) api.disable()
    },
  }
}

// Loaded only where a collector is named: the exporter is a fifth of a service's memory.
async function startExport(options: SpanExport): Promise<{ tracer: Tracer; shutdown(): Promise<void> }> {
  const { exportSpans } = await import('./export-spans.ts')
  return exportSpans(options)
}
