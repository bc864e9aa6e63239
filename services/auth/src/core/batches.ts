import type { User } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { type BatchedRead, batchedByTenant, joined } from '@gatehouse/postgres'
import { addAuditEntries, type NewAuditEntry } from '../store/audit-entries.ts'
import { type CredentialAndEpoch, findCredentialsAndEpochs } from '../store/credentials.ts'
import { addRecords, type RecordToAdd } from '../store/oidc/records.ts'
import { findGoingOnTokens, findLivingTokens, type TokenEnds, type TokenRow } from '../store/oidc/token-states.ts'
import { type notOpened, type OpenedRow, type Opening, openSessions } from '../store/open-sessions.ts'
import { findPolicies, type PolicyRow } from '../store/policies.ts'
import { findRefreshTokens, hexOf, type RefreshTokenInSession } from '../store/refresh-tokens.ts'
import { listEveryRoleOf, listRolesOf } from '../store/role-bindings.ts'
import { findRoles } from '../store/roles.ts'
import { type Rotated, type Rotation, rotateRefreshTokens, type untouched } from '../store/rotate-refresh-tokens.ts'
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

/** As of when something is to be true. */
interface AsOf {
  readonly now: Date
}

/** What sign-in and refresh ask and write: that of one turn of the event loop goes out together. Nothing is answered from memory. */
export interface Batches {
  /** A person in whatever state, as the user service says. */
  readonly person: BatchedRead<SubjectKey, User>
  /** Undefined where there is no password. */
  readonly credential: BatchedRead<SubjectKey, CredentialAndEpoch>
  /** Undefined where no role is bound. */
  readonly roles: BatchedRead<SubjectKey, readonly string[]>
  /** Those too that are held on one resource, for a time or under a condition. */
  readonly everyRole: BatchedRead<SubjectKey, readonly string[]>
  /** What a role of the tenant's own allows, by its name; undefined where there is none. */
  readonly rolePermissions: BatchedRead<SubjectKey, readonly string[]>
  /** Undefined where the tenant never set one. */
  readonly policy: BatchedRead<{ readonly tenant: string }, PolicyRow>
  readonly refreshToken: BatchedRead<RefreshTokenKey, RefreshTokenInSession>
  readonly rotation: (rotation: Rotation) => Promise<Rotated | typeof untouched>
  /** Of OpenID Connect. */
  readonly oidcRecord: (record: RecordToAdd) => Promise<void>
  /** Undefined of a token that is unknown or at its end, as its grant or session may be. */
  readonly oidcToken: BatchedRead<RefreshTokenKey & AsOf, TokenRow>
  /** Undefined of a signed token that its grant, its session or somebody has ended. */
  readonly signedToken: BatchedRead<TokenEnds & AsOf, { readonly generation: number }>
  readonly opening: (opening: Opening) => Promise<OpenedRow | typeof notOpened>
  /** Writes down that a call was refused. */
  readonly refused: (entry: NewAuditEntry) => Promise<void>
}

export function createBatches({ db, users }: { readonly db: Db; readonly users: Pick<Users, 'batchGetUsers'> }): Batches {
  const bySubject = { keyOf: ({ id }: SubjectKey) => id }
  const idsOf = (keys: readonly SubjectKey[]) => keys.map(({ id }) => id)
  return {
    person: batchedByTenant((tenant, keys) => askForPeople(users, tenant, idsOf(keys)), bySubject),
    credential: batchedByTenant((tenant, keys) => findCredentialsAndEpochs(db, tenant, idsOf(keys)), bySubject),
    roles: batchedByTenant((tenant, keys) => listRolesOf(db, tenant, idsOf(keys)), bySubject),
    everyRole: batchedByTenant((tenant, keys) => listEveryRoleOf(db, tenant, idsOf(keys)), bySubject),
    rolePermissions: batchedByTenant(
      async (tenant, keys) => new Map((await findRoles(db, tenant, idsOf(keys))).map((role) => [role.name, role.permissions])),
      bySubject,
    ),
    policy: batchedByTenant((tenant) => findPolicies(db, tenant), { keyOf: ({ tenant }) => tenant }),
    refreshToken: batchedByTenant(
      (tenant, keys) =>
        findRefreshTokens(
          db,
          tenant,
          keys.map(({ hash }) => hash),
        ),
      { keyOf: ({ hash }) => hexOf(hash) },
    ),
    rotation: joinedWrites((rotations) => rotateRefreshTokens(db, rotations)),
    oidcRecord: noted(
      joinedWrites(async (records: readonly RecordToAdd[]) => {
        await addRecords(db, records)
        return records.map(() => true)
      }),
    ),
    oidcToken: batchedByTenant(
      (tenant, keys) => findLivingTokens(db, { tenant, hashes: keys.map(({ hash }) => hash), now: latest(keys) }),
      {
        keyOf: ({ hash }) => hexOf(hash),
      },
    ),
    signedToken: batchedByTenant((tenant, keys) => findGoingOnTokens(db, { tenant, of: keys, now: latest(keys) }), {
      keyOf: ({ tokenId }) => tokenId,
    }),
    opening: joinedWrites((openings) => openSessions(db, openings)),
    refused: noted(
      joinedWrites(async (entries: readonly NewAuditEntry[]) => {
        await addAuditEntries(db, entries)
        return entries.map(() => true)
      }),
    ),
  }
}

/** Those of one turn ask about one time. */
function latest(keys: readonly AsOf[]): Date {
  return keys.at(-1)?.now ?? new Date(0)
}

const noted =
  <I>(write: (input: I) => Promise<boolean>) =>
  async (input: I): Promise<void> => {
    await write(input)
  }

/** Every input has an outcome from its joint write; one that another's fault took back is written alone. */
function joinedWrites<I, O extends {}>(write: (inputs: readonly I[]) => Promise<O[]>): (input: I) => Promise<O> {
  return joined({
    together: write,
    alone: async (input) => {
      const [output] = await write([input])
      if (output === undefined) throw new TypeError('a write without an outcome')
      return output
    },
  })
}
