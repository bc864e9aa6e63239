import type { Client } from '@connectrpc/connect'
import type { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import type { LimitStore } from '@gatehouse/postgres'
import type { MacKeys } from '@gatehouse/rpc'
import type { Logger } from '@gatehouse/telemetry'
import type { Db } from '../store/schema.ts'
import type { Batches } from './batches.ts'
import type { KeyRing } from './keys/key-ring.ts'
import type { BreachList } from './passwords/breaches/breach-list.ts'
import type { HashPool } from './passwords/hash-pool.ts'

export type { Db }

/** What auth asks the user service. */
export type Users = Pick<
  Client<typeof UserService>,
  'resolveUser' | 'batchGetUsers' | 'registerUser' | 'activateUser' | 'changeUserEmail' | 'createUser'
>

/** How long things live. */
export interface Lifetimes {
  /** Of an access token. */
  readonly accessTokenSeconds: number
  /** Of a session that is not refreshed. */
  readonly sessionIdleSeconds: number
  /** Of a session at the longest. */
  readonly sessionAbsoluteSeconds: number
  /** After a refresh in which the used-up token still answers the same successor. */
  readonly refreshGraceSeconds: number
}

/** Everything that the use cases of the service need from outside. */
export interface Deps {
  readonly db: Db
  readonly users: Users
  readonly batches: Batches
  readonly limits: LimitStore
  readonly log: Logger
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Call it after a commit that added events: the relay does not wait for its next poll. */
  readonly committed: () => void
  readonly lifetimes: Lifetimes
  readonly keys: KeyRing
  /** Audiences that other teams' services registered by configuration. */
  readonly audiences: readonly string[]
  /** Each at least 32 bytes outside the database, from which the secrets of challenges are derived. */
  readonly challengeKeys: MacKeys
  /** Each at least 32 bytes with which requests that carry a `request_id` are compared. */
  readonly requestKeys: MacKeys
  /** How long a `request_id` is kept, where not for 30 days. */
  readonly requestsKeptSeconds?: number
  readonly hashing: HashPool
  /** Passwords that are known from breaches. */
  readonly breaches: BreachList
}
