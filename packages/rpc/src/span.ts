import { Code } from '@connectrpc/connect'
import { SpanKind, SpanStatusCode, type Tracer } from '@opentelemetry/api'
import type { CallContext } from './call-context.ts'
import { statusName } from './status-name.ts'

const SERVER_FAULTS: ReadonlySet<Code> = new Set([
  Code.Unknown,
  Code.DeadlineExceeded,
  Code.Unimplemented,
  Code.Internal,
  Code.Unavailable,
  Code.DataLoss,
])

/** Starts the server span of a call; `undefined` where nobody collects spans. */
export function startSpan(tracer: Tracer | undefined, context: CallContext): { end(code: Code | undefined): void } | undefined {
  if (tracer === undefined) return undefined
  const method = `${context.method.parent.typeName}/${context.method.name}`
  const attributes = {
    'rpc.system.name': context.door === 'grpc' ? 'grpc' : 'connectrpc',
    'rpc.method': method,
  }
  const span = tracer.startSpan(method, { kind: SpanKind.SERVER, attributes }, context.trace.parent)
  context.trace.adopt(span.spanContext())
  return {
    end(code) {
      if (code !== undefined) {
        span.setAttribute('rpc.response.status_code', statusName(code))
        if (SERVER_FAULTS.has(code)) span.setStatus({ code: SpanStatusCode.ERROR })
      }
      span.end()
    },
  }
}
