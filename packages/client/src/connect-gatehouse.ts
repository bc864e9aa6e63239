import type { DescMessage, MessageShape } from '@bufbuild/protobuf'
import { type CallOptions, type Client, createClient, type Transport } from '@connectrpc/connect'
import { AccessService } from '@gatehouse/contracts/gatehouse/auth/v1/access_service_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { NotificationService } from '@gatehouse/contracts/gatehouse/notification/v1/notification_service_pb'
import { UserService, type WatchUsersResponse } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { connectNats, type Envelope, type Nats, subscribe } from '@gatehouse/events/subscriber'
import {
  createAccessTokenVerifier,
  createWorkloadSigner,
  followIssuers,
  followRevocations,
  isWellFormedApiKey,
  jwksOfOrigin,
  type Person,
} from '@gatehouse/identity'
import { type Bounds, forTenant, peerTransport } from '@gatehouse/rpc/peer'
import { type FollowOptions, followUsers } from './follow-users.ts'
import { withApiKey } from './with-api-key.ts'

/** Where Gatehouse is, and who asks. What is left out cannot be used. */
export interface ConnectOptions {
  /** Origin of the tenant's pages, such as `https://id.example.com`: its tokens are verified with the keys published there. */
  readonly origin: string
  /** The tenant that lives at the origin; `default` unless given. */
  readonly tenant?: string
  /** The `aud` that tokens must name; `gatehouse`, what people's tokens of our own pages name, unless given. */
  readonly audience?: string
  /** The own workload's private key (a JWK), from which its one-minute tokens are made. */
  readonly workloadKeyFile?: string
  /** An API key of a service account, `gh_live_…`: calls are made with what of its scopes the account may. In place of a workload's key, or beside it. */
  readonly apiKey?: string
  /** gRPC doors, `host:port`. */
  readonly userUrl?: string
  /** With it, and the workload's key, a revoked session is refused within a second; without it, when its token ends. */
  readonly authUrl?: string
  readonly notificationUrl?: string
  /** `nats://user:password@host:port` */
  readonly natsUrl?: string
  /** PEM of the authority behind the gRPC doors' certificates; plaintext without it. */
  readonly caFile?: string
}

/** Gatehouse, as another team's service sees it. */
export interface GatehouseClient extends AsyncDisposable {
  /**
   * Whom an access token belongs to; verified on this machine.
   * @throws TokenInvalid when it is not good; VerificationUnavailable while no key was ever seen.
   */
  verify(token: string): Promise<Person>
  readonly users: Client<typeof UserService>
  /** Asks auth who may do what: `gatehouse.access.check({ principalId, permission, resource }, gatehouse.about())`. */
  readonly access: Client<typeof AccessService>
  readonly notifications: Client<typeof NotificationService>
  /** Options of a call about the people of a tenant; the own one unless given. */
  about(tenant?: string, bounds?: Bounds): CallOptions
  /**
   * Everybody in a tenant, then every change, for ever and without a broker; asks again by itself after every break. Keep each message's people by their highest
   * version, with its cursor, before you ask for the next: `for await (const { users, cursor } of gatehouse.watchUsers({ cursor: kept })) …`.
   */
  watchUsers(options?: FollowOptions & { readonly tenant?: string }): AsyncGenerator<WatchUsersResponse, void>
  /**
   * Tells of events at least once, under `name` from where the last run ended: act on `envelope.id` once, and on a higher `envelope.version` only.
   * An event whose handler rejects comes again.
   */
  subscribe<const E extends DescMessage>(
    name: string,
    events: readonly E[],
    onEvent: (event: MessageShape<E>, envelope: Envelope) => Promise<void> | void,
  ): AsyncDisposable
}

/** Connects. Nothing has to be reachable yet: keys, peers and broker are found when they come. */
export async function connectGatehouse(options: ConnectOptions): Promise<GatehouseClient> {
  const { origin, tenant = 'default', audience = 'gatehouse', workloadKeyFile, apiKey, caFile } = options
  // Told here, where it was mistyped, and without the key itself.
  if (apiKey !== undefined && !isWellFormedApiKey(apiKey))
    throw new TypeError('apiKey is no whole API key: gh_live_<id>_<secret><checksum>')
  await using opening = new AsyncDisposableStack()
  const signer = workloadKeyFile === undefined ? undefined : await createWorkloadSigner(workloadKeyFile)
  const issuers = opening.use(followIssuers(jwksOfOrigin(origin, tenant)))

  function transport(target: string, url: string | undefined): Transport {
    if (url === undefined) return unreachable(target)
    return opening.use(peerTransport({ target, url, ...(signer && { signer }), ...(caFile !== undefined && { tls: { caFile } }) }))
  }
  const auth = transport('auth', options.authUrl)
  const revocations = options.authUrl === undefined ? undefined : opening.use(followRevocations(createClient(SessionService, auth)))
  const verifier = createAccessTokenVerifier({ audience, issuers, ...(revocations && { revocations }) })
  const acting = (target: string, url: string | undefined): Transport =>
    apiKey === undefined ? transport(target, url) : withApiKey(transport(target, url), apiKey)
  const users = createClient(UserService, acting('user', options.userUrl))
  const notifications = createClient(NotificationService, acting('notification', options.notificationUrl))
  const nats =
    options.natsUrl === undefined ? undefined : opening.use(connectNats({ url: options.natsUrl, name: signer?.name ?? 'gatehouse-client' }))
  await revocations?.ready
  const owned = opening.move()
  return {
    verify: (token) => verifier.verify(token),
    users,
    access: createClient(AccessService, auth),
    notifications,
    about: (of = tenant, bounds) => forTenant(of, bounds),
    watchUsers: ({ tenant: of = tenant, ...follow } = {}) => followUsers(users, forTenant(of).headers ?? {}, follow),
    subscribe: (name, events, onEvent) => owned.use(subscribe({ nats: demand(nats), name, events, onEvent })),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function demand(nats: Nats | undefined): Nats {
  if (!nats) throw new TypeError('natsUrl is missing: where is the broker?')
  return nats
}

function unreachable(target: string): Transport {
  const fail = () => Promise.reject(new TypeError(`${target}Url is missing: where is the ${target} service?`))
  return { unary: fail, stream: fail }
}
