import type { Interceptor } from '@connectrpc/connect'

/** A random id in hexadecimal, as W3C Trace Context writes it. */
const randomId = (bytes: number): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, '0')).join('')

/**
 * Begins the trace of each call in the browser, so that what a page tells of a failed call finds it in logs and traces. A page that has OpenTelemetry gives the
 * `traceparent` of its own span. Whether a trace is recorded is decided behind the door, whatever stands here.
 */
export function traceCalls(current: () => string | undefined = () => undefined): Interceptor {
  return (next) => (request) => {
    if (!request.header.has('traceparent')) request.header.set('traceparent', current() ?? `00-${randomId(16)}-${randomId(8)}-00`)
    return next(request)
  }
}
