import type { User } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { type BatchedRead, batchedByTenant } from '@gatehouse/postgres'
import { type CredentialAndEpoch, findCredentialsAndEpochs } from '../store/credentials.ts'
import { findRefreshTokens, hexOf, type RefreshTokenInSession } from '../store/refresh-tokens.ts'
import { listRolesOf } from '../store/role-bindings.ts'
import { type Rotation, rotateRefreshTokens } from '../store/rotate-refresh-tokens.ts'
import type { SessionRow } from '../store/sessions.ts'
import type { Db, Users } from './deps.ts'
import { askForPeople } from './people/ask-for-people.ts'

/** Somebody, or a program with an account. */
export interface SubjectKey {
  readonly tenant: string
  readonly id: string
}

export interface RefreshTokenKey {
  readonly tenant: string
  readonly hash: Uint8Array
}

/** What sign-in and refresh ask and write: that of one turn of the event loop goes out together. Nothing is answered from memory. */
export interface Batches {
  /** A person in whatever state, as the user service says. */
  readonly person: BatchedRead<SubjectKey, User>
  /** Undefined where there is no password. */
  readonly credential: BatchedRead<SubjectKey, CredentialAndEpoch>
  /** Undefined where no role is bound. */
  readonly roles: BatchedRead<SubjectKey, readonly string[]>
  readonly refreshToken: BatchedRead<RefreshTokenKey, RefreshTokenInSession>
  /** Undefined where the token is used up or its session over; nothing has changed then. */
  readonly rotation: BatchedRead<Rotation, SessionRow>
}

export function createBatches({ db, users }: { readonly db: Db; readonly users: Pick<Users, 'batchGetUsers'> }): Batches {
  const bySubject = { keyOf: ({ id }: SubjectKey) => id }
  const idsOf = (keys: readonly SubjectKey[]) => keys.map(({ id }) => id)
  return {
    person: batchedByTenant((tenant, keys) => askForPeople(users, tenant, idsOf(keys)), bySubject),
    credential: batchedByTenant((tenant, keys) => findCredentialsAndEpochs(db, tenant, idsOf(keys)), bySubject),
    roles: batchedByTenant((tenant, keys) => listRolesOf(db, tenant, idsOf(keys)), bySubject),
    refreshToken: batchedByTenant(
      (tenant, keys) =>
        findRefreshTokens(
          db,
          tenant,
          keys.map(({ hash }) => hash),
        ),
      { keyOf: ({ hash }) => hexOf(hash) },
    ),
    rotation: batchedByTenant((tenant, keys) => rotateRefreshTokens(db, tenant, keys), { keyOf: ({ tokenHash }) => hexOf(tokenHash) }),
  }
}
