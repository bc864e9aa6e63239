import type { IncomingMessage, ServerResponse } from 'node:http'
import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import type { FastifyInstance } from 'fastify'
import { describeCause } from '../describe-cause.ts'
import type { CallBounds } from '../inbound.ts'
import type { HttpMeter } from '../meters.ts'
import { overloaded } from '../overloaded.ts'
import { commonRefusal, Refusal } from '../refusal.ts'
import { startHttpSpan, type Tracing } from '../span.ts'
import { SAFE_HEADERS } from './http-guard.ts'
import { type RawCall, RawCallContext } from './raw-call.ts'
import type { RouteSettings } from './route-settings.ts'

/** Serves one request of a raw route: it reads the body as it likes, and writes the whole answer. */
export type RawAct = (request: IncomingMessage, response: ServerResponse, call: RawCall) => Promise<void> | void

/** A route that is no RPC. */
export interface RawRoute {
  /** As the router writes it: `/oidc/*`. */
  readonly url: string
  /** Name of the path in metrics, spans and logs: one of few, and never with what stands in the path. */
  readonly name: (path: string) => string
  /** A longer body is refused before a byte of it is read; one of unknown length is the route's own to bound. */
  readonly maxBodyBytes: number
  /** After this long the request is answered with `DEADLINE_EXCEEDED` and whatever runs for it is given up. */
  readonly deadlineMs: number
}

/** Lets a service hand whole requests to something that speaks HTTP itself, with everything that this door owes to every request. */
export interface RawDoor {
  /** Serves every method on `route.url`, the body unread. */
  raw(scope: FastifyInstance, route: RawRoute, act: RawAct): void
}

/** What the raw routes of a door are made of besides what its other routes share. */
export interface RawSettings extends RouteSettings, Tracing {
  readonly meter: HttpMeter
  readonly within: <T>(bounds: CallBounds, act: () => T) => T
  /** Requests whose answer has not begun: the door closes their connections where it drains. */
  readonly unanswered: Set<ServerResponse>
  readonly draining: () => boolean
}

/** Raw routes take the same steps as an RPC, in the order in which they stand in `serve`; who calls and for whom is for the route to find out. */
export function createRawDoor(settings: RawSettings): RawDoor {
  const { calls, log, meter, unanswered, within } = settings

  async function serve(route: RawRoute, act: RawAct, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const started = performance.now()
    const name = route.name(pathOf(request))
    const call = new RawCallContext(request, response, settings, route.deadlineMs)
    const span = startHttpSpan(settings, call.trace, request.method, name)
    for (const [header, value] of Object.entries(SAFE_HEADERS)) response.setHeader(header, value)
    response.setHeader('x-trace-id', call.traceId)
    // The rest of a body of unknown length is not waited for once the answer is out.
    if (settings.draining() || request.headers['transfer-encoding'] !== undefined) response.shouldKeepAlive = false
    unanswered.add(response)
    calls.open += 1
    try {
      if (calls.open > calls.max) throw overloaded('calls')
      if (Number(request.headers['content-length'] ?? 0) > route.maxBodyBytes) throw tooLarge(response)
      await untilLate(call, () => call.trace.run(() => within(call, () => act(request, response, call)), call))
    } catch (error) {
      fail(error, name, call, response)
    } finally {
      call.ended = !call.signal.aborted
      calls.open -= 1
      unanswered.delete(response)
      span?.end(response.statusCode)
      meter(name, request.method, response.statusCode, (performance.now() - started) / 1000)
    }
  }

  function fail(error: unknown, name: string, call: RawCallContext, response: ServerResponse): void {
    if (error instanceof Refusal) {
      call.refuse(error)
      return
    }
    if (call.signal.aborted) return
    log.error({ route: name, trace_id: call.traceId, cause: describeCause(error) }, 'request failed')
    if (response.headersSent) {
      response.destroy()
      return
    }
    response.statusCode = 500
    response.setHeader('content-type', 'application/json')
    response.end('{"error":"server_error"}')
  }

  return {
    raw(scope, route, act) {
      scope.register(async (own) => {
        // Taken over before anybody looks at the body: its type is the route's own business too.
        own.addHook('onRequest', (request, reply, _done) => {
          reply.hijack()
          void serve(route, act, request.raw, reply.raw)
        })
        own.all(route.url, () => undefined)
      })
    },
  }
}

/** Runs the act until its caller is gone or answered that it took too long; then nobody waits for it. */
async function untilLate(call: RawCall, act: () => Promise<void> | void): Promise<void> {
  const { signal } = call
  const { promise: late, reject } = Promise.withResolvers<never>()
  const end = () => reject(signal.reason)
  signal.addEventListener('abort', end)
  try {
    if (signal.aborted) throw signal.reason
    const work = Promise.resolve(act())
    // Whoever is late answers nobody; its end must not become an unhandled rejection.
    work.catch(() => {})
    await Promise.race([work, late])
  } finally {
    signal.removeEventListener('abort', end)
  }
}

// What is not read must not be waited for either.
function tooLarge(response: ServerResponse): Refusal {
  response.shouldKeepAlive = false
  return commonRefusal(ErrorReason.REQUEST_TOO_LARGE)
}

function pathOf({ url = '/' }: IncomingMessage): string {
  const query = url.indexOf('?')
  return query === -1 ? url : url.slice(0, query)
}
