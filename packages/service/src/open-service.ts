import type { DescMethod, DescService } from '@bufbuild/protobuf'
import type { ServiceImpl } from '@connectrpc/connect'
import { latest, type ServiceConfig } from '@gatehouse/config'
import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { type Consumer, connectNats, createRelay, eventMigrations, type Nats, startConsumers } from '@gatehouse/events'
import {
  createAccessTokenVerifier,
  createApiKeyVerifier,
  createWorkloadVerifiers,
  followWorkloads,
  type IssuerDirectory,
  readClusters,
  type WorkloadSigner,
} from '@gatehouse/identity'
import {
  assertSchema,
  connect,
  type Db,
  isUnavailable,
  type LimitStore,
  type MigrationSet,
  PageTokenInvalid,
  postgresLimits,
  RequestIdReused,
  sharedMigrations,
  withinBounds,
} from '@gatehouse/postgres'
import {
  commonRefusal,
  createGrpcDoor,
  createPipeline,
  createWebDoor,
  type MacKeys,
  macKeys,
  type PipelineOptions,
  type Refusal,
  type WebRoutes,
} from '@gatehouse/rpc'
import { createLogger, type Logger, startTelemetry } from '@gatehouse/telemetry'
import { type Clock, followClock } from './clock.ts'
import { followAuth, type ServiceIdentity } from './follow-auth.ts'
import { startHealthServer } from './health-server.ts'
import { openSigner } from './open-signer.ts'
import { createPeers, type PeerName, type Peers } from './peers.ts'
import { startPruningRequests } from './prune-requests.ts'
import type { App } from './run-service.ts'

/** What a service is opened with. */
export interface OpenOptions<DB> {
  readonly name: PeerName
  readonly config: ServiceConfig
  /** The service's own migrations; those of the packages are added. */
  readonly migrations: MigrationSet
  /** Aborting it ends the wait for the schema. */
  readonly signal?: AbortSignal
  /** Only auth knows issuers, revocations and roles by itself; the others follow auth where this is not given. */
  readonly identity?: (service: Omit<Service<DB>, 'identity' | 'serve'>, parts: AsyncDisposableStack) => Promise<ServiceIdentity>
}

/** An RPC service and its methods; of a contract that is not ours also the RPCs of ours whose access they have. */
export type Served = readonly [DescService, Partial<ServiceImpl<DescService>>, Readonly<Record<string, DescMethod>>?]

/** An RPC service of the contract with the object that implements it. */
export function served<S extends DescService>(service: S, implementation: ServiceImpl<S>): Served {
  return [service, implementation as Partial<ServiceImpl<DescService>>]
}

/** An RPC service of somebody else's contract: each of its RPCs is as much as one of ours. It is served on the gRPC door only, as whatever declares no access for people. */
export function servedAs<S extends DescService>(
  service: S,
  implementation: ServiceImpl<S>,
  accessOf: Readonly<Record<string, DescMethod>>,
): Served {
  return [service, implementation as Partial<ServiceImpl<DescService>>, accessOf]
}

/** What a service adds to make it an {@link App}. */
export interface ServeOptions<DB> {
  readonly rpc: readonly Served[]
  readonly consumers?: readonly Consumer<DB>[]
  /** Started after the doors are open, ended before the database closes. */
  readonly workers?: readonly (() => AsyncDisposable)[]
  /** Routes of the web door beside the RPCs. */
  readonly routes?: WebRoutes
  /** Writes a refused call down before it is answered. */
  readonly refused?: PipelineOptions['refused']
}

/** A service before it opens its doors: what its use cases stand on. */
export interface Service<DB> {
  readonly name: PeerName
  readonly config: ServiceConfig
  readonly log: Logger
  readonly db: Db<DB>
  readonly limits: LimitStore
  readonly nats: Nats
  readonly clock: Clock
  readonly signer: WorkloadSigner
  /** Keys of request fingerprints. */
  readonly requestKeys: MacKeys
  /** How long request ids are kept. */
  readonly requestsKeptSeconds: number
  readonly identity: ServiceIdentity
  peer(name: PeerName): ReturnType<Peers['to']>
  /** To be called after a commit that added events, so that nobody waits for the next poll. */
  committed(): void
  serve(options: ServeOptions<DB>): Promise<App>
}

/** Every migration set of a service, in the order in which they are applied. */
export function migrationsOf(own: MigrationSet): readonly MigrationSet[] {
  return [sharedMigrations, eventMigrations, own]
}

/**
 * Opens what every service process is made of: telemetry, database, broker, peers and identity. Neither database, broker nor peers need to be there
 * yet. `serve` waits for the schema, opens the doors and is ready.
 */
export async function openService<DB>(options: OpenOptions<DB>): Promise<Service<DB>> {
  const { name, config, signal } = options
  await using opening = new AsyncDisposableStack()
  const telemetry = opening.use(
    await startTelemetry({ service: name, otlpEndpoint: config.otlpEndpoint, traceSampleRatio: config.traceSampleRatio }),
  )
  const log = createLogger({ service: name, level: config.logLevel })
  let ready = false
  const health = opening.use(await startHealthServer(config.listenHost, config.metricsPort, () => ready, telemetry))
  const database = opening.use(
    connect<DB>({
      url: latest('DATABASE_URL', config.databaseUrl),
      poolSize: config.databasePoolSize,
      namedStatements: config.databaseNamedStatements,
      applicationName: `gatehouse-${name}`,
    }),
  )
  const db = database.kysely
  const clock = opening.use(followClock(db))
  opening.use(startPruningRequests(db, { log, keptSeconds: config.requestsKept / 1000 }))
  const nats = opening.use(connectNats({ url: latest('NATS_URL', config.natsUrl), name: `gatehouse-${name}`, log }))
  const signer = await openSigner(name, config, clock.now)
  const clusters = config.workloadClustersFile === undefined ? [] : readClusters(config.workloadClustersFile)
  const peers = opening.use(createPeers(config, signer, log))
  const relay = opening.use(createRelay({ db, nats, service: name, log }))
  const requestKeys = macKeys(config.requestKey, config.requestKeyPrevious)
  const base = {
    name,
    config,
    log,
    db,
    limits: postgresLimits(db, { hashKey: requestKeys.current }),
    nats,
    clock,
    signer,
    requestKeys,
    requestsKeptSeconds: config.requestsKept / 1000,
    peer: (peer: PeerName) => peers.to(peer),
    committed: () => relay.nudge(),
  }
  const identity = options.identity ? await options.identity(base, opening) : followAuth(base, opening)
  const owned = opening.move()

  async function serve({ rpc, consumers = [], workers = [], routes, refused }: ServeOptions<DB>): Promise<App> {
    await using parts = owned.move()
    await untilSchema(db, migrationsOf(options.migrations), log, signal)
    // Tokens that are dated by a wrong clock are refused everywhere.
    await within(2_000, clock.measured)
    const directory = parts.use(
      followWorkloads(identity.readRegistry, {
        unregistered: config.workloadsUnregistered ?? (config.gatehouseMode === 'production' ? 'refuse' : 'allow'),
        onUnregistered: (workload) => {
          if (config.gatehouseMode === 'production') log.warn({ workload }, 'a workload calls that is not registered')
        },
      }),
    )
    const apiKeys = parts.use(createApiKeyVerifier({ resolve: identity.resolveApiKey, changes: identity.revocations, now: clock.now }))
    const access = 'ready' in identity.access ? identity.access.ready : undefined
    await Promise.all([identity.revocations.ready, access, directory.ready])
    const pipeline = createPipeline({
      service: name,
      accessTokens: createAccessTokenVerifier({
        audience: 'gatehouse',
        issuers: identity.issuers,
        revocations: identity.revocations,
        now: clock.now,
      }),
      apiKeys,
      workloads: createWorkloadVerifiers({ self: name, jwksFile: config.workloadJwksFile, clusters, directory, now: clock.now }),
      registry: directory,
      now: clock.now,
      tenantOfHost: (host) => identity.issuers.tenantOfHost(host) ?? lookForHost(identity.issuers, host),
      limits: base.limits,
      access: identity.access,
      limitOverrides: identity.limitOverrides,
      within: withinBounds,
      ...(refused && { refused }),
      log,
      translate,
      isUnavailable,
      strict: config.gatehouseMode === 'test',
      ...telemetry.tracing,
    })
    const services = rpc.map(([desc, implementation, accessOf]) => pipeline.guard(desc, implementation, accessOf))
    const subscribed =
      consumers.length === 0 ? undefined : startConsumers({ nats, db, service: name, consumers, log, onCommit: base.committed })
    if (subscribed) parts.use(subscribed)
    for (const start of workers) parts.use(start())
    const grpc = parts.use(
      await createGrpcDoor({
        service: name,
        services,
        host: config.listenHost,
        port: config.grpcPort,
        log,
        ...(config.grpcTlsCertFile !== undefined &&
          config.grpcTlsKeyFile !== undefined && { tls: { certFile: config.grpcTlsCertFile, keyFile: config.grpcTlsKeyFile } }),
      }),
    )
    const web = parts.use(
      await createWebDoor({
        services,
        host: config.listenHost,
        port: config.webPort,
        log,
        trustedProxies: config.trustedProxies,
        allowedOrigins: config.allowedOrigins,
        originOfHost: (host) => identity.issuers.issuer(identity.issuers.tenantOfHost(host) ?? '')?.origin,
        within: withinBounds,
        drainIdleMs: config.drainIdle,
        ...(routes && { routes }),
        ...telemetry.tracing,
      }),
    )
    parts.defer(async () => {
      ready = false
      await within(config.drainTimeout, Promise.all([grpc.drain(config.drainTimeout), web.drain()]))
    })
    ready = true
    const serving = parts.move()
    return { ports: { grpc: grpc.port, web: web.port, metrics: health.port }, [Symbol.asyncDispose]: () => serving.disposeAsync() }
  }
  return { ...base, identity, serve }
}

// A host that nobody has heard of is served nothing; before the first answer of auth there is nobody to have heard of any.
async function lookForHost(issuers: IssuerDirectory, host: string): Promise<string | undefined> {
  await issuers.lookAgain()
  const tenant = issuers.tenantOfHost(host)
  if (tenant === undefined && !issuers.known) throw commonRefusal(ErrorReason.DEPENDENCY_UNAVAILABLE, { dependency: 'auth' })
  return tenant
}

async function untilSchema<DB>(db: Db<DB>, sets: readonly MigrationSet[], log: Logger, signal?: AbortSignal): Promise<void> {
  for (let told: unknown; ; ) {
    try {
      return await assertSchema(db, sets)
    } catch (error) {
      signal?.throwIfAborted()
      // Of a schema that is being made another migration is missing each time that we look.
      const [problem, kind] = error instanceof Error ? [error.message, error.constructor] : [String(error), undefined]
      if (told !== (kind ?? problem)) log.warn({ problem }, 'waiting for the schema')
      told = kind ?? problem
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

function translate(error: unknown): Refusal | undefined {
  if (error instanceof RequestIdReused) return commonRefusal(ErrorReason.REQUEST_ID_REUSED)
  if (error instanceof PageTokenInvalid) return commonRefusal(ErrorReason.PAGE_TOKEN_INVALID)
  return undefined
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const patience = Promise.withResolvers<void>()
  const timer = setTimeout(patience.resolve, ms)
  await Promise.race([work, patience.promise])
  clearTimeout(timer)
}
