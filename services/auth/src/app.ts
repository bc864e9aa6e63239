import { createClient } from '@connectrpc/connect'
import { AccountService } from '@gatehouse/contracts/gatehouse/auth/v1/account_service_pb'
import { ChallengeService } from '@gatehouse/contracts/gatehouse/auth/v1/challenge_service_pb'
import { EmailSignInService } from '@gatehouse/contracts/gatehouse/auth/v1/email_sign_in_service_pb'
import { EnrolmentService } from '@gatehouse/contracts/gatehouse/auth/v1/enrolment_service_pb'
import { FactorService } from '@gatehouse/contracts/gatehouse/auth/v1/factor_service_pb'
import { IssuerService } from '@gatehouse/contracts/gatehouse/auth/v1/issuer_service_pb'
import { PolicyService } from '@gatehouse/contracts/gatehouse/auth/v1/policy_service_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { type App, openService, served } from '@gatehouse/service'
import { type AuthConfig, lifetimesOf } from './config.ts'
import { consumersOf } from './consumers/index.ts'
import { createBatches } from './core/batches.ts'
import type { Deps } from './core/deps.ts'
import { createHashPool } from './core/passwords/hash-pool.ts'
import { type OwnIdentity, openIdentity } from './own-identity.ts'
import { accountService } from './rpc/account-service.ts'
import { challengeService } from './rpc/challenge-service.ts'
import { emailSignInService } from './rpc/email-sign-in-service.ts'
import { enrolmentService } from './rpc/enrolment-service.ts'
import { factorService } from './rpc/factor-service.ts'
import { issuerService } from './rpc/issuer-service.ts'
import { jwksRoute } from './rpc/jwks-route.ts'
import { policyService } from './rpc/policy-service.ts'
import { sessionService } from './rpc/session-service.ts'
import { migrations } from './store/migrations/index.ts'
import type { Schema } from './store/schema.ts'
import { startCleanUp } from './workers/clean-up.ts'
import { meterKeys } from './workers/key-metrics.ts'
import { startKeyRotation } from './workers/key-rotation.ts'

/** Puts the auth service together and opens its doors. */
export async function createApp(config: AuthConfig, signal?: AbortSignal): Promise<App> {
  let own: OwnIdentity | undefined
  const service = await openService<Schema>({
    name: 'auth',
    config,
    migrations,
    ...(signal && { signal }),
    identity: async (base, parts) => {
      own = openIdentity(base, config, parts)
      return own
    },
  })
  if (own === undefined) throw new TypeError('the service was opened without its identity')
  const { keys, feed, limitFeed, issuers } = own

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
    challengeKey: Buffer.from(config.authChallengeKey, 'base64'),
    requestKey: service.requestKey,
    requestsKeptSeconds: service.requestsKeptSeconds,
    hashing: createHashPool(config.passwordHashes === undefined ? {} : { running: config.passwordHashes }),
  }
  return await service.serve({
    rpc: [
      served(AccountService, accountService(deps)),
      served(ChallengeService, challengeService(deps)),
      served(EmailSignInService, emailSignInService(deps)),
      served(EnrolmentService, enrolmentService(deps)),
      served(FactorService, factorService(deps)),
      served(IssuerService, issuerService(deps)),
      served(PolicyService, policyService(deps)),
      served(SessionService, sessionService(deps)),
    ],
    consumers: consumersOf(deps),
    workers: [
      () => startCleanUp(deps),
      () => startKeyRotation(deps, { maxAgeSeconds: config.signingKeyAge / 1000 }),
      () => meterKeys(deps),
    ],
    routes: jwksRoute(deps, issuers),
  })
}
