import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'

const tracer = trace.getTracer('gatehouse.notification')

/** Runs a mail's way over SMTP as a span of its own, where the try that sends it is recorded. Neither addresses nor what the server said stand in it. */
export async function traceSmtp(server: { readonly host: string; readonly port: number }, send: () => Promise<void>): Promise<void> {
  if (trace.getSpan(context.active())?.isRecording() !== true) return send()
  const attributes = { 'network.protocol.name': 'smtp', 'server.address': server.host, 'server.port': server.port }
  return tracer.startActiveSpan('smtp send', { kind: SpanKind.CLIENT, attributes }, async (span) => {
    try {
      await send()
    } catch (error) {
      span.setAttribute('error.type', typeOf(error))
      span.setStatus({ code: SpanStatusCode.ERROR })
      throw error
    } finally {
      span.end()
    }
  })
}

/** The reply code of RFC 5321, or what nodemailer calls it. */
function typeOf(error: unknown): string {
  if (!(error instanceof Error)) return '_OTHER'
  if ('responseCode' in error && typeof error.responseCode === 'number') return String(error.responseCode)
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
