import type { Selectable } from 'kysely'
import type { Db, EndCause, SessionsTable } from './schema.ts'
import { type SeenBefore, seenBefore, withNetworks } from './seen-before.ts'

export type SessionRow = Selectable<SessionsTable>

export const sessionColumns = [
  'tenant',
  'id',
  'user_id',
  'client_id',
  'create_time',
  'last_use_time',
  'idle_expire_time',
  'expire_time',
  'auth_time',
  'amr',
  'user_agent',
  'network',
  'version',
  'generation',
  'end_time',
  'end_cause',
] as const

/** Writes a session, remembers where it came from, and answers what was known before. */
export async function insertSession(db: Db, row: SessionRow): Promise<SeenBefore> {
  const { seen } = await db
    .with('remembered', (cte) =>
      cte
        .insertInto('session_epochs')
        .values({ tenant: row.tenant, user_id: row.user_id, epoch: 0, networks: [row.network] })
        .onConflict((conflict) => conflict.columns(['tenant', 'user_id']).doUpdateSet({ networks: withNetworks })),
    )
    .insertInto('sessions')
    .values(row)
    .returning(seenBefore('sessions').as('seen'))
    .executeTakeFirstOrThrow()
  return seen
}

export async function findSession(db: Db, key: { tenant: string; id: string }): Promise<SessionRow | undefined> {
  return await db.selectFrom('sessions').select(sessionColumns).where('tenant', '=', key.tenant).where('id', '=', key.id).executeTakeFirst()
}

/** Whoever holds the lock is the only one who refreshes or ends the session. */
export async function lockSession(tx: Db, key: { tenant: string; id: string }): Promise<SessionRow | undefined> {
  return await tx
    .selectFrom('sessions')
    .select(sessionColumns)
    .where('tenant', '=', key.tenant)
    .where('id', '=', key.id)
    .forUpdate()
    .executeTakeFirst()
}

/** As it is until the transaction ends: nobody ends or raises it meanwhile. */
export async function shareSession(tx: Db, key: { tenant: string; id: string }): Promise<SessionRow | undefined> {
  return await tx
    .selectFrom('sessions')
    .select(sessionColumns)
    .where('tenant', '=', key.tenant)
    .where('id', '=', key.id)
    .forShare()
    .executeTakeFirst()
}

/** Answers the version after it: the session changes without ending. */
export async function raiseSessionVersion(tx: Db, key: { tenant: string; id: string }): Promise<number> {
  const row = await tx
    .updateTable('sessions')
    .set((eb) => ({ version: eb('version', '+', 1) }))
    .where('tenant', '=', key.tenant)
    .where('id', '=', key.id)
    .returning('version')
    .executeTakeFirstOrThrow()
  return row.version
}

/** The person proved anew who they are: another generation of tokens. */
export async function raiseSession(
  tx: Db,
  which: { tenant: string; id: string; methods: readonly string[]; time: Date },
): Promise<SessionRow> {
  return await tx
    .updateTable('sessions')
    .set((eb) => ({
      amr: [...which.methods],
      auth_time: which.time,
      last_use_time: which.time,
      version: eb('version', '+', 1),
      generation: eb('generation', '+', 1),
    }))
    .where('tenant', '=', which.tenant)
    .where('id', '=', which.id)
    .returning(sessionColumns)
    .executeTakeFirstOrThrow()
}

/** Notes that a session was used, unless it was since then; it ends later for that, and its version stays. */
export async function touchSession(
  db: Db,
  key: { tenant: string; id: string },
  use: { time: Date; idle_expire_time: Date; unusedSince: Date },
): Promise<void> {
  await db
    .updateTable('sessions')
    .set({ last_use_time: use.time, idle_expire_time: use.idle_expire_time })
    .where('tenant', '=', key.tenant)
    .where('id', '=', key.id)
    .where('end_time', 'is', null)
    .where('last_use_time', '<=', use.unusedSince)
    .execute()
}

/** Ends sessions that have not ended; answers those that it ended. Locks in the order of the ids, so that two never wait for each other. */
export async function endSessions(
  tx: Db,
  which: { tenant: string; userId: string; id?: string; exceptId?: string; createdUntil?: Date },
  end: { time: Date; cause: EndCause },
): Promise<SessionRow[]> {
  return await tx
    .with('ending', (cte) =>
      cte
        .selectFrom('sessions')
        .select(['tenant', 'id'])
        .where('tenant', '=', which.tenant)
        .where('user_id', '=', which.userId)
        .where('end_time', 'is', null)
        .$if(which.id !== undefined, (query) => query.where('id', '=', which.id ?? ''))
        .$if(which.exceptId !== undefined, (query) => query.where('id', '<>', which.exceptId ?? ''))
        .$if(which.createdUntil !== undefined, (query) => query.where('create_time', '<=', which.createdUntil ?? end.time))
        .orderBy('id')
        .forUpdate(),
    )
    .updateTable('sessions')
    .from('ending')
    .whereRef('sessions.tenant', '=', 'ending.tenant')
    .whereRef('sessions.id', '=', 'ending.id')
    .set((eb) => ({ end_time: end.time, end_cause: end.cause, version: eb('sessions.version', '+', 1) }))
    .returning(sessionColumns.map((column) => `sessions.${column}` as const))
    .execute()
}

/** A page of a person's sessions that have not ended, last used first, from behind the row that `after` names. */
export async function listSessions(
  db: Db,
  which: {
    tenant: string
    userId: string
    now: Date
    usedAfter: Date
    createdAfter: Date
    limit: number
    after?: { lastUseTime: Date; id: string }
  },
): Promise<SessionRow[]> {
  return await db
    .selectFrom('sessions')
    .select(sessionColumns)
    .where('tenant', '=', which.tenant)
    .where('user_id', '=', which.userId)
    .where('end_time', 'is', null)
    .where('expire_time', '>', which.now)
    .where('idle_expire_time', '>', which.now)
    .where('last_use_time', '>', which.usedAfter)
    .where('create_time', '>', which.createdAfter)
    .$if(which.after !== undefined, (query) =>
      query.where(({ eb, refTuple, tuple }) =>
        eb(refTuple('last_use_time', 'id'), '<', tuple(which.after?.lastUseTime ?? which.now, which.after?.id ?? '')),
      ),
    )
    .orderBy('last_use_time', 'desc')
    .orderBy('id', 'desc')
    .limit(which.limit)
    .execute()
}
