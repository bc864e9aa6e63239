import { createClient, type Transport } from '@connectrpc/connect'
import { AccessService } from '@gatehouse/contracts/gatehouse/auth/v1/access_service_pb'
import { IssuerService } from '@gatehouse/contracts/gatehouse/auth/v1/issuer_service_pb'
import { PolicyService } from '@gatehouse/contracts/gatehouse/auth/v1/policy_service_pb'
import { ServiceAccountService } from '@gatehouse/contracts/gatehouse/auth/v1/service_account_service_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { WorkloadService } from '@gatehouse/contracts/gatehouse/auth/v1/workload_service_pb'
import {
  type AccessDirectory,
  followAccess,
  followIssuers,
  followRevocations,
  type IssuerDirectory,
  type RegistryAnswer,
  type ResolvedKey,
  type RevocationList,
} from '@gatehouse/identity'
import { followLimits, type LimitOverrides } from '@gatehouse/rpc'
import type { Logger } from '@gatehouse/telemetry'
import type { Clock } from './clock.ts'
import { tellAbsence } from './tell-absence.ts'

/** How a service knows whom to trust. */
export interface ServiceIdentity {
  readonly issuers: IssuerDirectory
  readonly revocations: RevocationList & {
    /** Settles when the doors may open. */
    readonly ready: Promise<unknown>
    /** Whether revocations are being told at this moment. */
    readonly connected: boolean
  }
  /** Who may do what. */
  readonly access: AccessDirectory
  /** Limits that tenants set, within what the contract declares. */
  readonly limitOverrides: LimitOverrides
  /** What an API key is good for; undefined where it is not. */
  resolveApiKey(keyId: string, keyHash: Uint8Array): Promise<ResolvedKey | undefined>
  /** Other teams' workloads, where they are others than those of `version`. */
  readRegistry(version: string, signal: AbortSignal): Promise<RegistryAnswer>
}

/** Whoever calls with an API key that is not known yet waits for this. */
const resolveTimeoutMs = 1_000

/** Asks auth for everything, and says in the log when it does not answer. */
export function followAuth(
  service: { peer(name: 'auth'): Transport; log: Logger; clock: Pick<Clock, 'now'> },
  parts: AsyncDisposableStack,
): ServiceIdentity {
  const auth = service.peer('auth')
  const issuerClient = createClient(IssuerService, auth)
  const accounts = createClient(ServiceAccountService, auth)
  const workloads = createClient(WorkloadService, auth)
  const say = (what: string) =>
    parts.use(
      tellAbsence({
        away: (problem) => service.log.warn({ problem }, `${what}: auth does not answer`),
        back: () => service.log.info({}, `${what}: auth answers again`),
      }),
    ).told
  const issuers = parts.use(
    followIssuers(async (signal) => (await issuerClient.listIssuers({}, { signal, timeoutMs: 5_000 })).issuers, {
      onChange: say('issuers'),
      onSkippedKey: (key) => service.log.warn(key, 'a published key is passed over: tokens that it signed are refused'),
    }),
  )
  const revocations = parts.use(followRevocations(createClient(SessionService, auth), say('revocations')))
  const access = parts.use(followAccess(createClient(AccessService, auth), { now: service.clock.now, onChange: say('access') }))
  const limitOverrides = parts.use(followLimits(createClient(PolicyService, auth), say('limits')))
  return {
    issuers,
    revocations,
    access,
    limitOverrides,
    resolveApiKey: async (keyId, keyHash) => (await accounts.resolveApiKey({ keyId, keyHash }, { timeoutMs: resolveTimeoutMs })).key,
    readRegistry: (version, signal) => workloads.readRegistry({ version }, { signal, timeoutMs: 5_000 }),
  }
}
