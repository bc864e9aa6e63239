import { type Selectable, sql } from 'kysely'
import type { Db } from '../schema.ts'
import type { GrantEndCause, OidcGrantsTable } from './oidc-tables.ts'

export type GrantRow = Selectable<OidcGrantsTable>

const columns = [
  'tenant',
  'id',
  'user_id',
  'client_id',
  'session_id',
  'offline',
  'payload',
  'version',
  'create_time',
  'update_time',
  'last_use_time',
  'expire_time',
  'end_time',
  'end_cause',
] as const

export interface GrantKey {
  readonly tenant: string
  readonly id: string
}

/** Whoever holds the lock is the only one who changes, uses or ends the grant. */
export async function lockGrant(tx: Db, { tenant, id }: GrantKey): Promise<GrantRow | undefined> {
  return await tx.selectFrom('oidc_grants').select(columns).where('tenant', '=', tenant).where('id', '=', id).forUpdate().executeTakeFirst()
}

/** A grant that has not ended, and whose session has not where it ends with it. */
export async function findGrant(db: Db, { tenant, id, now }: GrantKey & { now: Date }): Promise<GrantRow | undefined> {
  return await db
    .selectFrom('oidc_grants as g')
    .leftJoin('sessions as s', (join) => join.onRef('s.tenant', '=', 'g.tenant').onRef('s.id', '=', 'g.session_id'))
    .select(columns.map((column) => `g.${column}` as const))
    .where('g.tenant', '=', tenant)
    .where('g.id', '=', id)
    .where('g.end_time', 'is', null)
    .where('g.expire_time', '>', now)
    .where((eb) =>
      eb.or([
        eb('g.offline', '=', true),
        eb.and([eb('s.end_time', 'is', null), eb('s.idle_expire_time', '>', now), eb('s.expire_time', '>', now)]),
      ]),
    )
    .executeTakeFirst()
}

/** False where it is there already, by whoever was faster. */
export async function insertGrant(tx: Db, row: GrantRow): Promise<boolean> {
  const inserted = await tx
    .insertInto('oidc_grants')
    .values(row)
    .onConflict((conflict) => conflict.columns(['tenant', 'id']).doNothing())
    .returning('id')
    .executeTakeFirst()
  return inserted !== undefined
}

export async function changeGrant(
  tx: Db,
  { tenant, id }: GrantKey,
  change: Pick<GrantRow, 'payload' | 'offline' | 'expire_time' | 'update_time' | 'version'>,
): Promise<void> {
  await tx.updateTable('oidc_grants').set(change).where('tenant', '=', tenant).where('id', '=', id).execute()
}

/** Which of a tenant's grants that have not ended. */
export interface GrantsToEnd {
  readonly tenant: string
  readonly ids?: readonly string[]
  readonly userId?: string
  readonly clientId?: string
  readonly givenUntil?: Date
  readonly limit?: number
}

/** Ends grants and answers those that it ended. Locks in the order of the ids, so that two never wait for each other. */
export async function endGrants(tx: Db, which: GrantsToEnd, end: { time: Date; cause: GrantEndCause }): Promise<GrantRow[]> {
  const { ids, userId, clientId, givenUntil, limit } = which
  return await tx
    .with('ending', (cte) =>
      cte
        .selectFrom('oidc_grants')
        .select(['tenant', 'id'])
        .where('tenant', '=', which.tenant)
        .where('end_time', 'is', null)
        .$if(ids !== undefined, (query) => query.where(sql<boolean>`id = any(${[...(ids ?? [])]}::uuid[])`))
        .$if(userId !== undefined, (query) => query.where('user_id', '=', userId ?? ''))
        .$if(clientId !== undefined, (query) => query.where('client_id', '=', clientId ?? ''))
        .$if(givenUntil !== undefined, (query) => query.where('create_time', '<=', givenUntil ?? end.time))
        .orderBy('id')
        .$if(limit !== undefined, (query) => query.limit(sql.lit(limit ?? 0)))
        .forUpdate(),
    )
    .updateTable('oidc_grants')
    .from('ending')
    .whereRef('oidc_grants.tenant', '=', 'ending.tenant')
    .whereRef('oidc_grants.id', '=', 'ending.id')
    .set((eb) => ({ end_time: end.time, end_cause: end.cause, version: eb('oidc_grants.version', '+', 1) }))
    .returning(columns.map((column) => `oidc_grants.${column}` as const))
    .execute()
}

/** Clients, of any tenant, that are deleted while grants of theirs go on. */
export async function listDeletedWithGrants(db: Db, limit: number): Promise<{ tenant: string; client_id: string }[]> {
  return await db
    .selectFrom('oidc_clients as c')
    .select(['c.tenant', 'c.client_id'])
    .where('c.delete_time', 'is not', null)
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('oidc_grants as g')
          .select('g.id')
          .whereRef('g.tenant', '=', 'c.tenant')
          .whereRef('g.client_id', '=', 'c.client_id')
          .where('g.end_time', 'is', null),
      ),
    )
    .limit(limit)
    .execute()
}
