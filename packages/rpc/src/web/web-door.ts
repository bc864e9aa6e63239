import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Registry } from '@bufbuild/protobuf'
import type { Meter } from '@opentelemetry/api'
import Fastify, { type FastifyInstance } from 'fastify'
import type { GuardedService } from '../guarded-method.ts'
import type { CallBounds } from '../inbound.ts'
import type { Log } from '../log.ts'
import { createHttpMeter } from '../meters.ts'
import { overloaded, showShed } from '../overloaded.ts'
import type { Tracing } from '../span.ts'
import { errorOf, sendError, sendNotServed } from './answer.ts'
import { MAX_BODY_BYTES } from './body.ts'
import { BodyBudget } from './body-budget.ts'
import { answerNonsense, badHeaders, makeSafe, refusalOfFastify } from './http-guard.ts'
import { OpenStreams } from './open-streams.ts'
import { createOrigins } from './origins.ts'
import { QuietConnections } from './quiet-connections.ts'
import { createRawDoor, type RawDoor } from './raw-routes.ts'
import { servePaths } from './served-paths.ts'
import { sourceReader } from './source-address.ts'

/** Registers routes of the service itself, such as `/.well-known/jwks.json`; the scope has a parser for JSON and no other. */
export type WebRoutes = (scope: FastifyInstance, door: RawDoor) => void | Promise<void>

/** What a web door is made of. */
export interface WebDoorOptions extends Tracing {
  /** What `Pipeline.guard` gave for each service; RPCs that are closed to people are left out. */
  readonly services: Iterable<GuardedService>
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Origins whose pages may call with the browser's cookies, such as `https://id.example.com`. No wildcard. */
  readonly allowedOrigins: readonly string[]
  /** Where the pages of a host (lower case, with its port) live: they too may call that host with cookies. */
  readonly originOfHost?: (host: string) => string | undefined
  /** Addresses and CIDR ranges of the proxies whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[]
  /** Types that a google.protobuf.Any in JSON may hold. */
  readonly registry?: Registry
  readonly routes?: WebRoutes
  /** Unary calls that are served at once; more are refused with `OVERLOADED`. Default 2,000. */
  readonly maxCalls?: number
  /** Streams that are open at once; default 5,000. */
  readonly maxStreams?: number
  /**
   * How long a drain leaves connections open on which nothing is asked, and goes on taking calls: whoever keeps connections hears of the end by
   * `Connection: close` on an answer, and not by a connection that ends under a call that was just sent. Default 0.
   */
  readonly drainIdleMs?: number
  /** Bytes of large request bodies that are held at once; default 128 MiB. */
  readonly bodyBudgetBytes?: number
  /** Runs what a raw route does, so that what it reads and writes is given up when nobody waits any more. */
  readonly within?: <T>(bounds: CallBounds, act: () => T) => T
  /** Where the metrics of raw routes go; the global meter where it is not given. */
  readonly meter?: Meter
  readonly log: Log
}

/** A door for browsers: Connect, gRPC-Web and REST over HTTP/1.1. */
export interface WebDoor extends AsyncDisposable {
  readonly port: number
  /** Ends the streams; answers for `drainIdleMs`, each time for the last time on its connection; then takes no new one, finishes the calls in flight and closes what is idle. */
  drain(): Promise<void>
}

const HEADERS_MS = 10_000
const REQUEST_MS = 30_000

/**
 * Opens the door.
 * @throws TypeError for an origin, a proxy or a REST option that cannot be read; the listen error where the port is taken.
 */
export async function createWebDoor(options: WebDoorOptions): Promise<WebDoor> {
  showShed('calls', 'streams', 'bodies')
  const streams = new OpenStreams(options.maxStreams ?? 5000)
  const settings = {
    origins: createOrigins(options.allowedOrigins, options.originOfHost),
    readSource: sourceReader(options.trustedProxies),
    log: options.log,
    registry: options.registry,
    streams,
    calls: { max: options.maxCalls ?? 2000, open: 0 },
  }
  const budget = new BodyBudget(options.bodyBudgetBytes ?? 128 * 1024 * 1024)
  let draining: Promise<void> | undefined
  const unanswered = new Set<ServerResponse>()

  const fastify = Fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_MS,
    // What comes on a living connection while the door closes is still answered.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 4096 },
    http: { headersTimeout: HEADERS_MS, connectionsCheckingInterval: 5000, maxHeaderSize: 16 * 1024 },
    clientErrorHandler: (error, socket) => answerNonsense(error, socket, streams.has(socket)),
    frameworkErrors: (error, _request, reply) => {
      makeSafe(reply)
      sendError(errorOf(refusalOfFastify(error) ?? error, reply, options.log), reply)
    },
  })
  // Node drops headers beyond its count in silence; the size bounds them already.
  fastify.server.maxHeadersCount = 0
  const quiet = new QuietConnections(fastify.server)

  fastify.addHook('onRequest', (request, reply, done) => {
    makeSafe(reply)
    settings.origins.mark(request, reply)
    const refusal = badHeaders(request)
    if (refusal) sendError(errorOf(refusal, reply, options.log), reply)
    else done()
  })
  fastify.addHook('onSend', (_request, reply, payload, done) => {
    if (draining) reply.header('connection', 'close')
    done(null, payload)
  })
  fastify.setErrorHandler((error: { code?: string; statusCode?: number }, _request, reply) => {
    sendError(errorOf(refusalOfFastify(error) ?? error, reply, options.log), reply, error.statusCode === 415 ? 415 : undefined)
  })
  // Without parsers the body of what is not served is not even looked at.
  fastify.removeAllContentTypeParsers()
  fastify.setNotFoundHandler((_request, reply) => sendNotServed(reply))

  fastify.register(async (scope) => {
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    scope.addHook('onRequest', (request, reply, done) => {
      if (budget.reserve(request, reply.raw)) done()
      else sendError(errorOf(overloaded('bodies'), reply, options.log), reply)
    })
    servePaths(scope, options.services, settings)
  })
  const { routes, within = (_, act) => act(), tracer, sample, meter } = options
  if (routes) {
    const door = createRawDoor({
      ...settings,
      within,
      tracer,
      sample,
      meter: createHttpMeter(meter),
      unanswered,
      draining: () => draining !== undefined,
    })
    fastify.register(async (scope) => {
      scope.addContentTypeParser('application/json', { parseAs: 'string' }, scope.getDefaultJsonParser('error', 'error'))
      await routes(scope, door)
    })
  }

  await fastify.listen({ host: options.host, port: options.port })
  const drain = (): Promise<void> => {
    draining ??= (async () => {
      streams.endAll()
      for (const response of unanswered) response.shouldKeepAlive = false
      await quiet.allClosed(options.drainIdleMs ?? 0)
      using _closing = quiet.close()
      await fastify.close()
    })()
    return draining
  }
  return {
    port: (fastify.server.address() as AddressInfo).port,
    drain,
    async [Symbol.asyncDispose]() {
      const drained = drain()
      fastify.server.closeAllConnections()
      await drained
    },
  }
}
