import { Code } from '@connectrpc/connect'
import { SpanKind, SpanStatusCode, type Tracer } from '@opentelemetry/api'
import type { CallContext } from './call-context.ts'
import { httpMethod } from './meters.ts'
import { statusName } from './status-name.ts'
import type { CallTrace } from './trace.ts'

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

/** Where the spans of requests that are no RPC go. */
export interface HttpSpans {
  readonly tracer?: Tracer | undefined
}

/** Starts the server span of a request that is no RPC; `undefined` where nobody collects spans. */
export function startHttpSpan(
  { tracer }: HttpSpans,
  trace: CallTrace,
  method: string | undefined,
  route: string,
): { end(status: number): void } | undefined {
  if (tracer === undefined) return undefined
  const attributes = { 'http.request.method': httpMethod(method), 'http.route': route }
  const span = tracer.startSpan(`${httpMethod(method)} ${route}`, { kind: SpanKind.SERVER, attributes }, trace.parent)
  trace.adopt(span.spanContext())
  return {
    end(status) {
      span.setAttribute('http.response.status_code', status)
      if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
      span.end()
    },
  }
}
