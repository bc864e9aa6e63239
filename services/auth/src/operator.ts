import { createClient } from '@connectrpc/connect'
import { readConfig } from '@gatehouse/config'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { connect, postgresLimits } from '@gatehouse/postgres'
import { macKeys, peerTransport } from '@gatehouse/rpc'
import { openSigner } from '@gatehouse/service'
import { createLogger } from '@gatehouse/telemetry'
import { type AuthConfig, hashingOf, lifetimesOf, rules, variables } from './config.ts'
import { createBatches } from './core/batches.ts'
import type { Deps, Users } from './core/deps.ts'
import { createKeyRing } from './core/keys/key-ring.ts'
import { openBreachList } from './core/passwords/breaches/breach-list.ts'
import { createHashPool } from './core/passwords/hash-pool.ts'
import { openEncryptionKeys } from './encryption-keys.ts'
import type { Schema } from './store/schema.ts'

/** What a command stands on: the service's own configuration, without its doors. */
export interface Operator extends AsyncDisposable {
  readonly config: AuthConfig
  readonly deps: Deps & { readonly operators: Pick<Users, 'createUser'> }
}

/** Opens the database and the way to the user service, as the service itself would. */
export async function openOperator(env: Readonly<Record<string, string | undefined>>): Promise<Operator> {
  const config = readConfig(variables, env, rules)
  await using parts = new AsyncDisposableStack()
  const log = createLogger({ service: 'auth', level: 'error' })
  const { kysely: db } = parts.use(
    connect<Schema>({
      url: config.databaseUrl,
      poolSize: 2,
      namedStatements: false,
      applicationName: 'gatehouse-auth-command',
    }),
  )
  const peer = {
    target: 'user',
    url: config.userUrl,
    log,
    ...(config.grpcTlsCaFile !== undefined && { tls: { caFile: config.grpcTlsCaFile } }),
  }
  const signer = await openSigner('auth', config)
  const users = createClient(UserService, parts.use(peerTransport({ ...peer, signer })))
  // Whoever acts as an operator shows the operator's token and no workload's.
  const operators = createClient(UserService, parts.use(peerTransport(peer)))
  const requestKeys = macKeys(config.requestKey, config.requestKeyPrevious)
  const now = Date.now
  const deps = {
    db,
    users,
    batches: createBatches({ db, users }),
    operators,
    limits: postgresLimits(db, { hashKey: requestKeys.current }),
    log,
    now,
    // The running services' relay finds the events at its next poll.
    committed: () => {},
    lifetimes: lifetimesOf(config),
    keys: createKeyRing({ db, now, ...(await openEncryptionKeys(config)) }),
    audiences: config.authAudiences,
    challengeKeys: macKeys(config.authChallengeKey, config.authChallengeKeyPrevious),
    requestKeys,
    hashing: createHashPool(hashingOf(config)),
    breaches: parts.use(await openBreachList({ filter: config.passwordBreachFilter, log })),
  }
  const owned = parts.move()
  return { config, deps, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
