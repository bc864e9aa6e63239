import type { DescMethod } from '@bufbuild/protobuf'
import { Code, ConnectError } from '@connectrpc/connect'
import { type Attributes, context, metrics, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { BOUNDARIES } from '../meters.ts'
import { statusName } from '../status-name.ts'

/** Runs a call to a peer, all of its tries together, and measures it. */
export type ObserveCall = <T>(method: DescMethod, call: () => Promise<T>) => Promise<T>

const tracer = trace.getTracer('gatehouse.rpc')

/**
 * Observes the unary calls to one peer by the conventions for RPC: `rpc.client.call.duration` of each, and a span of those that a recorded span makes. What a
 * process does of itself, such as following revocations, begins no trace.
 */
export function observeCalls(url: string): ObserveCall {
  const about = placeOf(url)
  const duration = metrics.getMeter('gatehouse.rpc').createHistogram('rpc.client.call.duration', {
    unit: 's',
    description: 'Time from the beginning of a call to a peer to its answer, its repetitions included.',
    advice: { explicitBucketBoundaries: [...BOUNDARIES] },
  })
  const known = new Map<string, Attributes>()

  function measure(name: string, code: Code | undefined, started: number): void {
    const key = `${name} ${code ?? ''}`
    let attributes = known.get(key)
    if (attributes === undefined) {
      const status = statusName(code)
      attributes = {
        'rpc.system.name': 'grpc',
        'rpc.method': name,
        'rpc.response.status_code': status,
        'server.address': about['server.address'],
      }
      if (code !== undefined) attributes['error.type'] = status
      known.set(key, attributes)
    }
    duration.record((performance.now() - started) / 1000, attributes)
  }

  async function measured<T>(name: string, call: () => Promise<T>): Promise<T> {
    const started = performance.now()
    try {
      const answer = await call()
      measure(name, undefined, started)
      return answer
    } catch (error) {
      measure(name, codeOf(error), started)
      throw error
    }
  }

  return (method, call) => {
    const name = `${method.parent.typeName}/${method.name}`
    if (trace.getSpan(context.active())?.isRecording() !== true) return measured(name, call)
    const attributes = { 'rpc.system.name': 'grpc', 'rpc.method': name, ...about }
    return tracer.startActiveSpan(name, { kind: SpanKind.CLIENT, attributes }, async (span) => {
      try {
        const answer = await measured(name, call)
        span.setAttribute('rpc.response.status_code', 'OK')
        return answer
      } catch (error) {
        const status = statusName(codeOf(error))
        span.setAttributes({ 'rpc.response.status_code': status, 'error.type': status })
        span.setStatus({ code: SpanStatusCode.ERROR })
        throw error
      } finally {
        span.end()
      }
    })
  }
}

const codeOf = (error: unknown): Code => (error instanceof ConnectError ? error.code : Code.Unknown)

/** `server.address` and `server.port` of a gRPC name: `user:9000`, `dns:///user:9000`, `[::1]:9000`. */
function placeOf(url: string): { 'server.address': string; 'server.port'?: number } {
  const [, host = url, port] = /^(?:[a-z]+:\/{0,3})?\[?([^/]*?)\]?(?::(\d+))?$/.exec(url) ?? []
  return { 'server.address': host, ...(port !== undefined && { 'server.port': Number(port) }) }
}
