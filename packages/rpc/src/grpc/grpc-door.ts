import type { DescService } from '@bufbuild/protobuf'
import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { logVerbosity, Server, type ServerOptions, setLogVerbosity } from '@grpc/grpc-js'
import type { GuardedService } from '../guarded-method.ts'
import type { Log } from '../log.ts'
import { showShed } from '../overloaded.ts'
import { commonRefusal } from '../refusal.ts'
import { type DoorTls, serverCredentials } from '../tls.ts'
import { CallsInFlight } from './calls-in-flight.ts'
import { addHealth } from './health.ts'
import { answerProtocolFaults } from './protocol-faults.ts'
import { addReflection } from './reflection.ts'
import { definitionOf, handlersOf } from './serve-service.ts'

/** What a gRPC door is made of. */
export interface GrpcDoorOptions {
  /** Name of the service, told to callers while it drains. */
  readonly service: string
  readonly services: readonly GuardedService[]
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly log: Log
  readonly tls?: DoorTls
  /** Server reflection; on unless it is `false`. The contracts are public, the door is internal. */
  readonly reflection?: boolean
  /** Unary calls that are served at once; more are refused with `OVERLOADED`. Default 2,000. */
  readonly maxCalls?: number
  /** Server streams that are open at once; default 5,000. */
  readonly maxStreams?: number
  /** Age at which a connection is closed gracefully, so that clients find new replicas; default five minutes. */
  readonly maxConnectionAgeSeconds?: number
}

/** The door for internal services. Disposing it drains for at most five seconds. */
export interface GrpcDoor extends AsyncDisposable {
  readonly port: number
  /** Takes no new calls, ends the streams, lets the calls in flight finish for at most `graceMs`, then closes. */
  drain(graceMs?: number): Promise<void>
}

const MAX_MESSAGE_BYTES = 4 * 1024 * 1024
const MAX_STREAMS_PER_CONNECTION = 1000
const DEFAULT_GRACE_MS = 5000
const LAST_RESORT_MS = 1000

const SERVER_OPTIONS: ServerOptions = {
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  'grpc.max_send_message_length': 4 * MAX_MESSAGE_BYTES,
  'grpc.max_concurrent_streams': MAX_STREAMS_PER_CONNECTION,
  // Longer than any stream lives: none is cut because its connection is old.
  'grpc.max_connection_age_grace_ms': 360_000,
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.enable_channelz': 0,
  interceptors: [answerProtocolFaults],
}

// Its complaints about bad metadata quote the values, tokens included, to standard error. What matters comes to us as statuses.
setLogVerbosity(logVerbosity.NONE)

/** Opens the gRPC door: the guarded services, health and reflection on one port. Every RPC is served here. */
export async function createGrpcDoor(options: GrpcDoorOptions): Promise<GrpcDoor> {
  const { maxCalls = 2000, maxStreams = 5000, maxConnectionAgeSeconds = 300 } = options
  const server = new Server({ ...SERVER_OPTIONS, 'grpc.max_connection_age_ms': maxConnectionAgeSeconds * 1000 })
  showShed('calls', 'streams')
  const calls = new CallsInFlight({ maxCalls, maxStreams })
  const services: DescService[] = []
  for (const service of options.services) {
    const [first] = service.values()
    if (first === undefined) continue
    services.push(first.desc.parent)
    server.addService(definitionOf(first.desc.parent), handlersOf(service, calls))
  }
  const health = addHealth(
    server,
    services.map(({ typeName }) => typeName),
  )
  if (options.reflection !== false) addReflection(server, services)
  const port = await bind(server, options)

  let drained: Promise<void> | undefined
  const drain = (graceMs = DEFAULT_GRACE_MS): Promise<void> => {
    drained ??= close(graceMs)
    return drained
  }
  const close = async (graceMs: number): Promise<void> => {
    health.setServing(false)
    calls.endStreams(commonRefusal(ErrorReason.DEPENDENCY_UNAVAILABLE, { dependency: options.service }))
    const { promise, resolve } = Promise.withResolvers<void>()
    const cut = setTimeout(() => options.log.warn({ door: 'grpc' }, 'calls in flight were cut at the end of the drain'), graceMs)
    const giveUp = setTimeout(() => {
      server.forceShutdown()
      resolve()
    }, graceMs + LAST_RESORT_MS)
    // drain() destroys the connections at the end of the grace; forceShutdown() would not, because it finds them through channelz only.
    server.drain(addressOf(options.host, port), graceMs)
    server.tryShutdown(() => resolve())
    await promise
    clearTimeout(cut)
    clearTimeout(giveUp)
  }
  return { port, drain, [Symbol.asyncDispose]: () => drain() }
}

function addressOf(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function bind(server: Server, { host, port, tls }: GrpcDoorOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(addressOf(host, port), serverCredentials(tls), (error, bound) => (error === null ? resolve(bound) : reject(error)))
  })
}
