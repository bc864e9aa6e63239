import type { IncomingMessage, ServerResponse } from 'node:http'
import { context, metrics, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import { CheapHistograms } from './cheap-histograms.ts'
import { observeEventLoop } from './event-loop.ts'

/** What a process measures of itself. */
export interface Telemetry extends AsyncDisposable {
  /** Answers a request for `/metrics` in the Prometheus text format. */
  answerMetrics(request: IncomingMessage, response: ServerResponse): void
}

/** Options of {@link startTelemetry}. */
export interface TelemetryOptions {
  /** `service.name` of everything that is exported. */
  service: string
  /** Base URL of an OpenTelemetry collector (OTLP over HTTP); without it spans are not recorded, only trace ids are handed on. */
  otlpEndpoint?: string | undefined
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
    async [Symbol.asyncDispose]() {
      own.users--
      if (own.users > 0) return
      running = undefined
      await own.stop()
    },
  }
}

async function setUp({ service, otlpEndpoint }: TelemetryOptions) {
  const resource = resourceFromAttributes({ 'service.name': `gatehouse-${service}`, 'service.namespace': 'gatehouse' })
  const contexts = new AsyncLocalStorageContextManager().enable()
  context.setGlobalContextManager(contexts)
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  const histograms = new CheapHistograms(resource)
  const exporter = new PrometheusExporter({ preventServerStart: true, metricProducers: [histograms] })
  const meters = new MeterProvider({ resource, readers: [exporter] })
  metrics.setGlobalMeterProvider({ getMeter: (name, ...about) => histograms.of(meters.getMeter(name, ...about), name) })
  const unobserve = observeEventLoop(meters.getMeter('gatehouse.telemetry'))
  const spans = otlpEndpoint === undefined ? undefined : await exportSpans(otlpEndpoint, resource)
  return {
    telemetry: {
      answerMetrics: (request: IncomingMessage, response: ServerResponse) => exporter.getMetricsRequestHandler(request, response),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
    async stop() {
      unobserve()
      // A collector that is away must not hold up the shutdown.
      await Promise.race([spans?.shutdown().catch(() => undefined), new Promise((resolve) => setTimeout(resolve, 2_000).unref())])
      await meters.shutdown()
      for (const api of [metrics, trace, context, propagation]) api.disable()
    },
  }
}

// Loaded only where a collector is named: the exporter is a fifth of a service's memory.
async function exportSpans(endpoint: string, resource: ReturnType<typeof resourceFromAttributes>) {
  const [{ BatchSpanProcessor, TracerProvider }, { OTLPTraceExporter }] = await Promise.all([
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-proto'),
  ])
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, '')}/v1/traces` })
  const provider = new TracerProvider({ resource, spanProcessors: [new BatchSpanProcessor({ exporter })] })
  trace.setGlobalTracerProvider(provider)
  return provider
}
