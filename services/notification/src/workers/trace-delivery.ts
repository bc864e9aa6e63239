import { type Context, context, type Link, propagation, type SpanContext, SpanStatusCode, trace } from '@opentelemetry/api'
import type { DeliveryOutcome } from '../core/deliveries/deliver.ts'
import type { ClaimedDelivery } from '../store/deliveries.ts'

type Traced = Pick<ClaimedDelivery, 'id' | 'template' | 'attempts' | 'traceparent'>

const tracer = trace.getTracer('gatehouse.notification')
const rememberedTries = 10_000

/**
 * Runs each try of a mail under what caused it, however long ago that was, so that one trace tells all of it; a repetition links to the try before it, where this process
 * made that one.
 */
export function createDeliveryTracer(): (delivery: Traced, act: () => Promise<DeliveryOutcome>) => Promise<DeliveryOutcome> {
  const tries = new Map<string, SpanContext>()

  return async ({ id, template, attempts, traceparent }, act) => {
    if (traceparent === null) return act()
    const parent: Context = propagation.extract(context.active(), { traceparent })
    const before = tries.get(id)
    const links: Link[] = before === undefined ? [] : [{ context: before }]
    const attributes = { 'gatehouse.mail.template': template, 'gatehouse.mail.delivery_id': id, 'gatehouse.delivery.attempt': attempts }
    return tracer.startActiveSpan(`deliver ${template}`, { attributes, links }, parent, async (span) => {
      try {
        const outcome = await act()
        span.setAttribute('gatehouse.mail.outcome', outcome)
        if (outcome === 'retried' || outcome === 'failed') span.setStatus({ code: SpanStatusCode.ERROR })
        tries.delete(id)
        if (tries.size >= rememberedTries) tries.clear()
        if (span.isRecording() && (outcome === 'retried' || outcome === 'postponed')) tries.set(id, span.spanContext())
        return outcome
      } finally {
        span.end()
      }
    })
  }
}
