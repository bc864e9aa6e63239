import {
  type Context,
  context,
  type Link,
  propagation,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import type { Envelope } from './envelope.ts'

const tracer = trace.getTracer('gatehouse.events')

type Event = Pick<Envelope, 'id' | 'type'>

const about = ({ id, type }: Event, operation: 'publish' | 'process') => ({
  'messaging.system': 'nats',
  'messaging.operation.name': operation,
  'messaging.operation.type': operation === 'publish' ? 'send' : operation,
  'messaging.destination.name': type,
  'messaging.message.id': id,
})

/** The span of a publication, under the call that wrote the event, and what the message is to carry so that whoever handles it stands under this span. */
export function publishSpan(event: Event, traceparent: string): { readonly span: Span; readonly traceparent: string } {
  const parent = propagation.extract(context.active(), { traceparent })
  const span = tracer.startSpan(`publish ${event.type}`, { kind: SpanKind.PRODUCER, attributes: about(event, 'publish') }, parent)
  if (!span.isRecording()) return { span, traceparent }
  const carrier: { traceparent?: string } = {}
  propagation.inject(trace.setSpan(parent, span), carrier)
  return { span, traceparent: carrier.traceparent ?? traceparent }
}

export type ProcessOptions = {
  /** Who handles it. */
  readonly consumer: string
  /** Counted from 1. */
  readonly attempt: number
  /** The attempt before this one, where this process made it. */
  readonly previous?: SpanContext | undefined
}

/**
 * The span of a handler. It stands under the publication, however often the event comes, so that one trace tells all of it; by the conventions for messaging it
 * also links to what created the message, and a repetition to the attempt before it.
 */
export function processSpan(
  event: Event & Pick<Envelope, 'traceparent'>,
  { consumer, attempt, previous }: ProcessOptions,
): { readonly span: Span; readonly context: Context } {
  const parent = propagation.extract(context.active(), { traceparent: event.traceparent })
  const created = trace.getSpanContext(parent)
  // Most events belong to a trace that nobody records.
  if (created !== undefined && (created.traceFlags & 1) === 0) {
    const span = trace.wrapSpanContext(created)
    return { span, context: parent }
  }
  const links: Link[] = [created, previous].flatMap((linked) => (linked === undefined ? [] : [{ context: linked }]))
  const attributes = { ...about(event, 'process'), 'messaging.consumer.group.name': consumer, 'gatehouse.delivery.attempt': attempt }
  const span = tracer.startSpan(`process ${event.type}`, { kind: SpanKind.CONSUMER, attributes, links }, parent)
  return { span, context: trace.setSpan(parent, span) }
}

export function endSpan(span: Span, error?: unknown): void {
  if (error !== undefined && span.isRecording()) {
    span.setAttribute('error.type', error instanceof Error ? error.name : '_OTHER')
    span.setStatus({ code: SpanStatusCode.ERROR })
  }
  span.end()
}
