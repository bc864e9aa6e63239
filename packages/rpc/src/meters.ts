import type { DescMethod } from '@bufbuild/protobuf'
import type { Code } from '@connectrpc/connect'
import { type Attributes, type Meter, metrics } from '@opentelemetry/api'
import { SERVER_FAULTS, statusName } from './status-name.ts'

/** Counts the calls of one method; `code` is `undefined` for success. */
export type CallMeter = (door: 'grpc' | 'web', code: Code | undefined, seconds: number) => void

export const BOUNDARIES = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Meters by the OpenTelemetry conventions for RPC: `rpc.server.call.duration` in seconds. */
export function createCallMeters(meter: Meter = metrics.getMeter('gatehouse.rpc')): (method: DescMethod) => CallMeter {
  const duration = meter.createHistogram('rpc.server.call.duration', {
    unit: 's',
    description: 'Time from the arrival of a call to its answer.',
    advice: { explicitBucketBoundaries: [...BOUNDARIES] },
  })
  return (method) => {
    const name = `${method.parent.typeName}/${method.name}`
    const known = new Map<string, Attributes>()
    return (door, code, seconds) => {
      const key = `${door}${code ?? ''}`
      let attributes = known.get(key)
      if (attributes === undefined) {
        attributes = {
          'rpc.system.name': door === 'grpc' ? 'grpc' : 'connectrpc',
          'rpc.method': name,
          'rpc.response.status_code': statusName(code),
          ...(code !== undefined && SERVER_FAULTS.has(code) && { 'error.type': statusName(code) }),
        }
        known.set(key, attributes)
      }
      duration.record(seconds, attributes)
    }
  }
}

/** Counts the requests of the routes that are no RPC. */
export type HttpMeter = (route: string, method: string | undefined, status: number, seconds: number) => void

// Whatever else somebody may write there must not become a time series.
const HTTP_METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'])

/** A method as metrics and spans name it. */
export function httpMethod(method: string | undefined): string {
  return method !== undefined && HTTP_METHODS.has(method) ? method : '_OTHER'
}

/** A meter by the OpenTelemetry conventions for HTTP: `http.server.request.duration` in seconds. */
export function createHttpMeter(meter: Meter = metrics.getMeter('gatehouse.rpc')): HttpMeter {
  const duration = meter.createHistogram('http.server.request.duration', {
    unit: 's',
    description: 'Time from the arrival of a request that is no RPC to its answer.',
    advice: { explicitBucketBoundaries: [...BOUNDARIES] },
  })
  return (route, method, status, seconds) => {
    duration.record(seconds, {
      'http.route': route,
      'http.request.method': httpMethod(method),
      'http.response.status_code': status,
      ...(status >= 500 && { 'error.type': String(status) }),
    })
  }
}
