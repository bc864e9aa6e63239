import type { DescService } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import { Code, ConnectError, type ServiceImpl } from '@connectrpc/connect'
import { ChallengeService } from '@gatehouse/contracts/gatehouse/auth/v1/challenge_service_pb'
import { ErrorReason as AuthReason, ErrorReasonSchema as AuthReasons } from '@gatehouse/contracts/gatehouse/auth/v1/error_reason_pb'
import { IssuerService } from '@gatehouse/contracts/gatehouse/auth/v1/issuer_service_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { ErrorReason as CommonReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { ErrorReason as UserReason, ErrorReasonSchema as UserReasons } from '@gatehouse/contracts/gatehouse/user/v1/error_reason_pb'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { createAccessTokenVerifier, createWorkloadVerifier, followIssuers } from '@gatehouse/identity'
import { callOf, commonRefusal, createGrpcDoor, createPipeline, forTenant, type GuardedService, reasonOf, refusals } from '@gatehouse/rpc'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { createPeers, type Peers } from './peers.ts'

export interface TokenFor {
  readonly tenant: string
  readonly id: string
  readonly permissions?: readonly string[]
  readonly sessionId?: string
  readonly seconds?: number
}

/** The parts of auth and user that the notification service stands on, behind real gRPC doors. */
export interface StandInPeers extends AsyncDisposable {
  readonly authPort: number
  readonly userPort: number
  readonly peers: Peers
  /** Tells where the tenants' pages live. Who asks for the issuers waits for it, as the ports are known only when the doors are open. */
  readonly tellOrigins: (origins: ReadonlyMap<string, string>) => void
  revoke(sessionId: string): void
  tokenFor(person: TokenFor): Promise<string>
}

const log = { debug() {}, info() {}, warn() {}, error() {} }

export async function openStandInPeers(jwksFile: string): Promise<StandInPeers> {
  await using parts = new AsyncDisposableStack()
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = JSON.stringify({ ...(await exportJWK(publicKey)), kid: 'stand-in', alg: 'ES256', use: 'sig' })
  const { promise: origins, resolve: tellOrigins } = Promise.withResolvers<ReadonlyMap<string, string>>()
  const peers = createPeers()
  const revocations = new EventTarget()

  const issuers = parts.use(followIssuers(async () => []))
  const open = async (service: string, guard: (pipeline: ReturnType<typeof createPipeline>) => GuardedService[]) => {
    const pipeline = createPipeline({
      service,
      accessTokens: createAccessTokenVerifier({ audience: 'gatehouse', issuers }),
      workloads: createWorkloadVerifier({ self: service, jwksFile }),
      tenantOfHost: () => undefined,
      limits: { take: async () => ({ allowed: true }) },
      log,
    })
    return parts.use(await createGrpcDoor({ service, services: guard(pipeline), host: '127.0.0.1', port: 0, log }))
  }

  const issuerService: ServiceImpl<typeof IssuerService> = {
    listIssuers: async () => ({
      issuers: [...(await origins)].map(([tenant, origin]) => ({ tenant, origin, hosts: [new URL(origin).host], jwks: [jwk] })),
    }),
  }
  const sessionService: Partial<ServiceImpl<typeof SessionService>> = {
    async *watchRevocations(_, context) {
      yield { cursor: '1', snapshotComplete: true }
      const { signal } = callOf(context)
      while (!signal.aborted) {
        const sessionId = await new Promise<string>((resolve) => {
          revocations.addEventListener('revoke', (event) => resolve((event as CustomEvent<string>).detail), { once: true })
          signal.addEventListener('abort', () => resolve(''), { once: true })
        })
        if (sessionId) yield { cursor: '2', revoked: [{ sessionId, tenant: 'default', forgetTime: timestampFromMs(Date.now() + 600_000) }] }
      }
    },
  }
  const challengeService: ServiceImpl<typeof ChallengeService> = {
    revealSecret: (request, context) => asRefusal(peers.challenges.revealSecret(request, forTenant(callOf(context).tenant))),
  }
  const userService: Partial<ServiceImpl<typeof UserService>> = {
    resolveUser: (request, context) => asRefusal(peers.users.resolveUser(request, forTenant(callOf(context).tenant))),
    batchGetUsers: (request, context) => asRefusal(peers.users.batchGetUsers(request, forTenant(callOf(context).tenant))),
  }
  const auth = await open('auth', (pipeline) => [
    pipeline.guard(IssuerService, issuerService),
    pipeline.guard(ChallengeService, challengeService),
    pipeline.guard(SessionService, { ...refusingAll(SessionService), ...sessionService }),
  ])
  const user = await open('user', (pipeline) => [pipeline.guard(UserService, { ...refusingAll(UserService), ...userService })])
  const owned = parts.move()

  return {
    authPort: auth.port,
    userPort: user.port,
    peers,
    tellOrigins,
    revoke: (sessionId) => void revocations.dispatchEvent(new CustomEvent('revoke', { detail: sessionId })),
    tokenFor: async ({ tenant, id, permissions = [], sessionId = crypto.randomUUID(), seconds = 600 }) =>
      new SignJWT({ client_id: 'console', tid: tenant, permissions, sid: sessionId })
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'stand-in' })
        .setIssuer(`${(await origins).get(tenant)}/oidc`)
        .setAudience('gatehouse')
        .setSubject(id)
        .setJti(crypto.randomUUID())
        .setIssuedAt()
        .setExpirationTime(`${seconds}s`)
        .sign(privateKey),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** A door answers refusals as they are, and hides every other error. */
const asRefusal = <T>(call: Promise<T>): Promise<T> =>
  call.catch((error: unknown) => {
    const reason = reasonOf(error)
    if (reason === 'USER_NOT_FOUND') throw refusals(UserReasons)(UserReason.USER_NOT_FOUND)
    if (reason === 'CHALLENGE_NOT_FOUND') throw refusals(AuthReasons)(AuthReason.CHALLENGE_NOT_FOUND)
    throw commonRefusal(CommonReason.DEPENDENCY_UNAVAILABLE, { dependency: 'database' })
  })

const refusingAll = (service: DescService): Record<string, () => Promise<never>> =>
  Object.fromEntries(
    service.methods.map(({ localName }) => [
      localName,
      () => Promise.reject(new ConnectError('not part of the stand-in', Code.Unimplemented)),
    ]),
  )
