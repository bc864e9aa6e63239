import type { DescService, MessageInitShape } from '@bufbuild/protobuf'
import { timestampDate } from '@bufbuild/protobuf/wkt'
import { Code, ConnectError, type ServiceImpl } from '@connectrpc/connect'
import { IssuerService } from '@gatehouse/contracts/gatehouse/auth/v1/issuer_service_pb'
import { type ResolvedApiKeySchema, ServiceAccountService } from '@gatehouse/contracts/gatehouse/auth/v1/service_account_service_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { createAccessTokenVerifier, createWorkloadVerifier, followIssuers } from '@gatehouse/identity'
import { callOf, createGrpcDoor, createPipeline } from '@gatehouse/rpc'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'

export type TokenFor = {
  tenant: string
  id: string
  permissions?: readonly string[]
  serviceAccount?: boolean
  signedInSecondsAgo?: number
}

/** The part of auth that the user service stands on, behind a real gRPC door: keys of its tenants, and the end of sessions. */
export type StandInAuth = AsyncDisposable & {
  readonly port: number
  /** Tells where the tenants' pages live. Who asks for the issuers waits for it, as the ports are known only when the doors are open. */
  readonly tellOrigins: (origins: ReadonlyMap<string, string>) => void
  /** Whose sessions were ended, in order. */
  readonly ended: { tenant: string; userId: string; workload: string | undefined; openedUntil?: Date }[]
  /** API keys that are good, by their ids, and what was asked about keys. */
  readonly apiKeys: Map<string, MessageInitShape<typeof ResolvedApiKeySchema>>
  readonly askedKeys: string[]
  /** While set, it answers that it cannot. */
  failing: boolean
  tokenFor(person: TokenFor): Promise<string>
}

const log = { debug() {}, info() {}, warn() {}, error() {} }

export async function openStandInAuth(jwksFile: string): Promise<StandInAuth> {
  await using parts = new AsyncDisposableStack()
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = JSON.stringify({ ...(await exportJWK(publicKey)), kid: 'stand-in', alg: 'ES256', use: 'sig' })
  const { promise: origins, resolve: tellOrigins } = Promise.withResolvers<ReadonlyMap<string, string>>()
  const ended: StandInAuth['ended'] = []
  const apiKeys: StandInAuth['apiKeys'] = new Map()
  const askedKeys: string[] = []
  let failing = false

  const issuers = parts.use(followIssuers(async () => []))
  const pipeline = createPipeline({
    service: 'auth',
    accessTokens: createAccessTokenVerifier({ audience: 'gatehouse', issuers }),
    workloads: createWorkloadVerifier({ self: 'auth', jwksFile }),
    tenantOfHost: () => undefined,
    limits: { take: async () => ({ allowed: true }) },
    log,
  })
  const issuerService: ServiceImpl<typeof IssuerService> = {
    listIssuers: async () => ({
      issuers: [...(await origins)].map(([tenant, origin]) => ({ tenant, origin, hosts: [new URL(origin).host], jwks: [jwk] })),
    }),
  }
  const sessionService: Partial<ServiceImpl<typeof SessionService>> = {
    async revokePersonSessions({ userId, openedUntil }, context) {
      if (failing) throw new ConnectError('not now', Code.Unavailable)
      const { tenant, caller } = callOf(context)
      ended.push({ tenant, userId, workload: caller.workload, ...(openedUntil && { openedUntil: timestampDate(openedUntil) }) })
      return { revokedCount: 1 }
    },
    async *watchRevocations(_, context) {
      yield { cursor: '1', snapshotComplete: true }
      const { signal } = callOf(context)
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    },
  }
  const accounts: Partial<ServiceImpl<typeof ServiceAccountService>> = {
    async resolveApiKey({ keyId }) {
      askedKeys.push(keyId)
      const key = apiKeys.get(keyId)
      return key ? { key } : {}
    },
  }
  const services = [
    pipeline.guard(ServiceAccountService, { ...refusingAll(ServiceAccountService), ...accounts }),
    pipeline.guard(IssuerService, issuerService),
    pipeline.guard(SessionService, { ...refusingAll(SessionService), ...sessionService }),
  ]
  const door = parts.use(await createGrpcDoor({ service: 'auth', services, host: '127.0.0.1', port: 0, log }))
  const owned = parts.move()

  return {
    port: door.port,
    tellOrigins,
    ended,
    apiKeys,
    askedKeys,
    get failing() {
      return failing
    },
    set failing(value) {
      failing = value
    },
    tokenFor: async ({ tenant, id, permissions = [], serviceAccount = false, signedInSecondsAgo = 0 }) =>
      new SignJWT({ client_id: 'console', tid: tenant, permissions, ...(!serviceAccount && session(signedInSecondsAgo)) })
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'stand-in' })
        .setIssuer(`${(await origins).get(tenant)}/oidc`)
        .setAudience('gatehouse')
        .setSubject(id)
        .setJti(crypto.randomUUID())
        .setIssuedAt()
        .setExpirationTime('10m')
        .sign(privateKey),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const session = (secondsAgo: number) => ({ sid: crypto.randomUUID(), amr: ['pwd'], auth_time: Math.floor(Date.now() / 1000) - secondsAgo })

const refusingAll = (service: DescService): Record<string, () => Promise<never>> =>
  Object.fromEntries(
    service.methods.map(({ localName }) => [
      localName,
      () => Promise.reject(new ConnectError('not part of the stand-in', Code.Unimplemented)),
    ]),
  )
