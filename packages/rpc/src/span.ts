import type { Code } from '@connectrpc/connect'
import { type Attributes, type Span, SpanKind, SpanStatusCode, type Tracer } from '@opentelemetry/api'
import type { CallContext } from './call-context.ts'
import { httpMethod } from './meters.ts'
import { SERVER_FAULTS, statusName } from './status-name.ts'
import type { CallTrace } from './trace.ts'

/** Where spans go, and which calls have one. */
export interface Tracing {
  /** Makes spans; without it calls carry their trace id and leave no spans. */
  readonly tracer?: Tracer | undefined
  /** Whether a trace that begins here, or comes from outside, is recorded; all of them unless it is given. */
  readonly sample?: (() => boolean) | undefined
}

/** Starts the server span of a call; `undefined` where nobody collects spans, or not of this one. */
export function startSpan(
  tracing: Tracing,
  context: Pick<CallContext, 'door' | 'method' | 'trace'>,
): { end(code: Code | undefined): void } | undefined {
  const span = start(tracing, context.trace, () => {
    const method = `${context.method.parent.typeName}/${context.method.name}`
    return [method, { 'rpc.system.name': context.door === 'grpc' ? 'grpc' : 'connectrpc', 'rpc.method': method }]
  })
  return (
    span && {
      end(code) {
        span.setAttribute('rpc.response.status_code', statusName(code))
        if (code !== undefined && SERVER_FAULTS.has(code)) fail(span, statusName(code))
        span.end()
      },
    }
  )
}

/** Starts the server span of a request that is no RPC; `undefined` where nobody collects spans, or not of this one. */
export function startHttpSpan(
  tracing: Tracing,
  trace: CallTrace,
  method: string | undefined,
  route: string,
): { end(status: number): void } | undefined {
  const span = start(tracing, trace, () => [
    `${httpMethod(method)} ${route}`,
    { 'http.request.method': httpMethod(method), 'http.route': route },
  ])
  return (
    span && {
      end(status) {
        span.setAttribute('http.response.status_code', status)
        if (status >= 500) fail(span, String(status))
        span.end()
      },
    }
  )
}

/** Decides before anything is made: of most calls nothing is recorded, and they are to cost next to nothing. */
function start({ tracer, sample }: Tracing, trace: CallTrace, about: () => [name: string, Attributes]): Span | undefined {
  if (tracer === undefined || !(trace.isRecorded ?? sample?.() ?? true)) return undefined
  const [name, attributes] = about()
  const span = tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, trace.parent)
  trace.adopt(span)
  return span
}

function fail(span: Span, type: string): void {
  span.setAttribute('error.type', type)
  span.setStatus({ code: SpanStatusCode.ERROR })
}
