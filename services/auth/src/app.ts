import { createClient } from '@connectrpc/connect'
import { Authorization } from '@gatehouse/contracts/envoy/service/auth/v3/external_auth_pb'
import { AccessService } from '@gatehouse/contracts/gatehouse/auth/v1/access_service_pb'
import { AccountService } from '@gatehouse/contracts/gatehouse/auth/v1/account_service_pb'
import { AuditService } from '@gatehouse/contracts/gatehouse/auth/v1/audit_service_pb'
import { ChallengeService } from '@gatehouse/contracts/gatehouse/auth/v1/challenge_service_pb'
import { ClientService } from '@gatehouse/contracts/gatehouse/auth/v1/client_service_pb'
import { ConnectionService } from '@gatehouse/contracts/gatehouse/auth/v1/connection_service_pb'
import { EmailSignInService } from '@gatehouse/contracts/gatehouse/auth/v1/email_sign_in_service_pb'
import { EnrolmentService } from '@gatehouse/contracts/gatehouse/auth/v1/enrolment_service_pb'
import { FactorService } from '@gatehouse/contracts/gatehouse/auth/v1/factor_service_pb'
import { GrantService } from '@gatehouse/contracts/gatehouse/auth/v1/grant_service_pb'
import { IssuerService } from '@gatehouse/contracts/gatehouse/auth/v1/issuer_service_pb'
import { PasskeyService } from '@gatehouse/contracts/gatehouse/auth/v1/passkey_service_pb'
import { PolicyService } from '@gatehouse/contracts/gatehouse/auth/v1/policy_service_pb'
import { ResourceServerService } from '@gatehouse/contracts/gatehouse/auth/v1/resource_server_service_pb'
import { ServiceAccountService } from '@gatehouse/contracts/gatehouse/auth/v1/service_account_service_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { TokenService } from '@gatehouse/contracts/gatehouse/auth/v1/token_service_pb'
import { WorkloadService } from '@gatehouse/contracts/gatehouse/auth/v1/workload_service_pb'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { createAccessTokenVerifier, createTokenInspector, type IssuerDirectory } from '@gatehouse/identity'
import { macKeys, type WebRoutes } from '@gatehouse/rpc'
import { type App, openService, served, servedAs } from '@gatehouse/service'
import { type AuthConfig, clientRulesOf, hashingOf, lifetimesOf, offlineLifetimesOf, pairwiseKeyOf } from './config.ts'
import { consumersOf } from './consumers/index.ts'
import { auditRefusals } from './core/audit/refusals.ts'
import { createBatches } from './core/batches.ts'
import { createUpstreams } from './core/connections/upstreams.ts'
import type { Deps } from './core/deps.ts'
import { createEgress } from './core/egress/egress.ts'
import { createTokenLook } from './core/oidc/introspect-token.ts'
import type { TellLogout } from './core/oidc/logout/deliver-logouts.ts'
import { createOidcActs } from './core/oidc/oidc-acts.ts'
import { type BreachList, openBreachList } from './core/passwords/breaches/breach-list.ts'
import { createHashPool } from './core/passwords/hash-pool.ts'
import { showSuspicions } from './core/suspicion/suspicion-metrics.ts'
import { openEncryptionKeys } from './encryption-keys.ts'
import { builtConsole, consolePage } from './oidc/console-page.ts'
import { interactionRoutes } from './oidc/interactions/interaction-routes.ts'
import type { OidcDeps } from './oidc/oidc-deps.ts'
import { oidcRoutes } from './oidc/oidc-routes.ts'
import { consolePages } from './oidc/pages.ts'
import { createProviders } from './oidc/providers.ts'
import { logoutTeller } from './oidc/tell-logout.ts'
import { type OwnIdentity, openIdentity } from './own-identity.ts'
import { accessService } from './rpc/access-service.ts'
import { accountService } from './rpc/account-service.ts'
import { auditService } from './rpc/audit-service.ts'
import { challengeService } from './rpc/challenge-service.ts'
import { clientService } from './rpc/client-service.ts'
import { connectionService } from './rpc/connection-service.ts'
import { emailSignInService } from './rpc/email-sign-in-service.ts'
import { enrolmentService } from './rpc/enrolment-service.ts'
import { extAuthz } from './rpc/ext-authz.ts'
import { factorService } from './rpc/factor-service.ts'
import { grantService } from './rpc/grant-service.ts'
import { issuerService } from './rpc/issuer-service.ts'
import { jwksRoute } from './rpc/jwks-route.ts'
import { passkeyService } from './rpc/passkey-service.ts'
import { policyService } from './rpc/policy-service.ts'
import { resourceServerService } from './rpc/resource-server-service.ts'
import { serviceAccountService } from './rpc/service-account-service.ts'
import { refreshCookieName } from './rpc/session-cookie.ts'
import { sessionService } from './rpc/session-service.ts'
import { tokenService } from './rpc/token-service.ts'
import { workloadService } from './rpc/workload-service.ts'
import { migrations } from './store/migrations/index.ts'
import type { Schema } from './store/schema.ts'
import { startAuditSealer } from './workers/audit-sealer.ts'
import { startCleanUp } from './workers/clean-up.ts'
import { startDeliveringLogouts } from './workers/deliver-logouts.ts'
import { meterKeys } from './workers/key-metrics.ts'
import { startKeyRotation } from './workers/key-rotation.ts'
import { startFollowingKinds } from './workers/password-kinds.ts'

/** Puts the auth service together and opens its doors. */
export async function createApp(config: AuthConfig, signal?: AbortSignal): Promise<App> {
  let own: OwnIdentity | undefined
  let breaches: BreachList | undefined
  const service = await openService<Schema>({
    name: 'auth',
    config,
    migrations,
    ...(signal && { signal }),
    identity: async (base, parts) => {
      own = openIdentity(base, config, await openEncryptionKeys(config), parts)
      breaches = parts.use(await openBreachList({ filter: config.passwordBreachFilter, url: config.passwordBreachUrl, log: base.log }))
      return own
    },
  })
  if (own === undefined || breaches === undefined) throw new TypeError('the service was opened without its identity')
  const { keys, feed, accessFeed, limitFeed, issuers } = own

  const users = createClient(UserService, service.peer('user'))
  const deps: Deps & Pick<OwnIdentity, 'feed' | 'limitFeed'> = {
    db: service.db,
    users,
    batches: createBatches({ db: service.db, users }),
    limits: service.limits,
    log: service.log,
    now: service.clock.now,
    committed: service.committed,
    lifetimes: lifetimesOf(config),
    keys,
    feed,
    limitFeed,
    audiences: config.authAudiences,
    challengeKeys: macKeys(config.authChallengeKey, config.authChallengeKeyPrevious),
    requestKeys: service.requestKeys,
    requestsKeptSeconds: service.requestsKeptSeconds,
    hashing: createHashPool(hashingOf(config)),
    breaches,
  }
  const upstreams = createUpstreams({ ...deps, egress: createEgress({ allow: config.oidcEgressAllow }) })
  showSuspicions()
  const oidc = await openIdConnect(config, deps, issuers)
  return await service.serve({
    rpc: [
      served(AccessService, accessService({ ...deps, feed: accessFeed, accessChanged: accessFeed.refresh })),
      served(AccountService, accountService(deps)),
      served(AuditService, auditService(deps)),
      served(ChallengeService, challengeService(deps)),
      served(ClientService, clientService(deps, clientRulesOf(config))),
      served(ConnectionService, connectionService({ ...deps, upstreams, accessChanged: accessFeed.refresh })),
      served(EmailSignInService, emailSignInService(deps)),
      served(EnrolmentService, enrolmentService(deps)),
      served(FactorService, factorService(deps)),
      served(GrantService, grantService(deps)),
      served(IssuerService, issuerService(deps)),
      served(PasskeyService, passkeyService(deps)),
      served(PolicyService, policyService(deps)),
      served(ResourceServerService, resourceServerService(deps)),
      served(ServiceAccountService, serviceAccountService(deps)),
      served(SessionService, sessionService(deps)),
      served(TokenService, tokenService(oidc)),
      served(WorkloadService, workloadService(deps)),
      servedAs(Authorization, extAuthz({ deps, look: oidc.look, records: oidc.acts.records }), {
        Check: TokenService.method.introspectToken,
      }),
    ],
    consumers: consumersOf(deps),
    workers: [
      () => startCleanUp(deps),
      () => startAuditSealer(deps),
      () => startKeyRotation(deps, { maxAgeSeconds: config.signingKeyAge / 1000 }),
      () => meterKeys(deps),
      () => startFollowingKinds(deps),
      () => startDeliveringLogouts(deps, oidc.tellLogout),
    ],
    routes: allOf(jwksRoute(deps, issuers), ...oidc.routes),
    refused: auditRefusals(deps),
  })
}

/** OpenID Connect, what it is made of, the pages on which people sign in to other programs, and how those hear of ended sessions. */
async function openIdConnect(
  config: AuthConfig,
  deps: Deps & Pick<OwnIdentity, 'feed'>,
  issuers: IssuerDirectory,
): Promise<OidcDeps & { readonly routes: readonly WebRoutes[]; readonly tellLogout: TellLogout }> {
  const page = consolePage(config.oidcPages ?? builtConsole, deps.log)
  // Told at the start, and not when somebody stands before the door.
  await page.read()
  const acts = createOidcActs(deps, {
    registrationQuota: config.oidcRegistrationQuota,
    egressAllow: config.oidcEgressAllow,
    pairwiseKey: pairwiseKeyOf(config),
  })
  const inspector = createTokenInspector({ issuers, now: deps.now })
  const oidc: OidcDeps = {
    acts,
    inspector,
    look: createTokenLook({ deps, inspector, clients: acts.clients }),
    keys: deps.keys,
    issuers,
    limits: deps.limits,
    egress: createEgress({ allow: config.oidcEgressAllow }),
    log: deps.log,
    now: deps.now,
    pages: consolePages(page),
    offline: offlineLifetimesOf(config),
    challengeKeys: deps.challengeKeys,
    cookiesOfSession: [refreshCookieName],
    conformance: config.oidcConformance,
    registration: config.oidcRegistration,
  }
  const verifier = createAccessTokenVerifier({ audience: 'gatehouse', issuers, revocations: deps.feed.list, now: deps.now })
  const providers = createProviders(oidc)
  return {
    ...oidc,
    routes: [interactionRoutes({ ...oidc, verifier, page: page.read }), oidcRoutes(oidc, providers)],
    tellLogout: logoutTeller(oidc, providers),
  }
}

function allOf(...all: readonly WebRoutes[]): WebRoutes {
  return async (scope, door) => {
    for (const routes of all) await routes(scope, door)
  }
}
