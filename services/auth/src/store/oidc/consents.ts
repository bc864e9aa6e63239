import { sql } from 'kysely'
import type { Db } from '../schema.ts'

export interface ConsentKey {
  readonly tenant: string
  readonly userId: string
  readonly clientId: string
}

export interface ConsentRow {
  readonly scopes: readonly string[]
  readonly claims: readonly string[]
  readonly resources: Readonly<Record<string, string>>
}

export async function findConsent(db: Db, { tenant, userId, clientId }: ConsentKey): Promise<ConsentRow | undefined> {
  return await db
    .selectFrom('oidc_consents')
    .select(['scopes', 'claims', 'resources'])
    .where('tenant', '=', tenant)
    .where('user_id', '=', userId)
    .where('client_id', '=', clientId)
    .executeTakeFirst()
}

/** Makes the row where there is none, and locks it. */
export async function lockConsent(tx: Db, { tenant, userId, clientId }: ConsentKey, now: Date): Promise<ConsentRow> {
  const empty = { scopes: [], claims: [], resources: '{}' }
  return await tx
    .insertInto('oidc_consents')
    .values({ tenant, user_id: userId, client_id: clientId, ...empty, create_time: now, update_time: now })
    .onConflict((conflict) => conflict.columns(['tenant', 'user_id', 'client_id']).doUpdateSet({ update_time: now }))
    .returning(['scopes', 'claims', 'resources'])
    .executeTakeFirstOrThrow()
}

export async function setConsent(tx: Db, { tenant, userId, clientId }: ConsentKey, consent: ConsentRow): Promise<void> {
  await tx
    .updateTable('oidc_consents')
    .set({ scopes: [...consent.scopes], claims: [...consent.claims], resources: JSON.stringify(consent.resources) })
    .where('tenant', '=', tenant)
    .where('user_id', '=', userId)
    .where('client_id', '=', clientId)
    .execute()
}

/** Forgets what a person answered, about one client or all of them, and names the clients. */
export async function forgetConsents(
  tx: Db,
  { tenant, userId, clientId }: { tenant: string; userId: string; clientId?: string },
): Promise<{ readonly client_id: string }[]> {
  return await tx
    .deleteFrom('oidc_consents')
    .where('tenant', '=', tenant)
    .where('user_id', '=', userId)
    .$if(clientId !== undefined, (query) => query.where('client_id', '=', clientId ?? ''))
    .returning('client_id')
    .execute()
}

/** Forgets a bounded number of what people answered about a client, and says how many that were. */
export async function deleteConsentsOfClient(db: Db, which: { tenant: string; clientId: string; limit: number }): Promise<number> {
  const { tenant, clientId, limit } = which
  const deleted = await sql`
    delete from oidc_consents where (tenant, user_id, client_id) in (
      select tenant, user_id, client_id from oidc_consents where tenant = ${tenant} and client_id = ${clientId}
      limit ${limit}::integer for update skip locked)`.execute(db)
  return Number(deleted.numAffectedRows ?? 0n)
}
