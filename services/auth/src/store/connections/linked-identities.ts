import { type Insertable, type Selectable, sql } from 'kysely'
import type { Db } from '../schema.ts'
import type { LinkedIdentitiesTable } from './connection-tables.ts'

export type LinkedIdentityRow = Selectable<LinkedIdentitiesTable>

/** Who somebody is elsewhere. */
export interface SubjectAtIssuer {
  readonly tenant: string
  readonly issuer: string
  readonly subject: string
}

interface Person {
  readonly tenant: string
  readonly userId: string
}

const columns = [
  'tenant',
  'issuer',
  'subject',
  'id',
  'user_id',
  'connection_id',
  'email',
  'made_account',
  'create_time',
  'link_time',
  'last_use_time',
] as const

export async function findIdentity(db: Db, { tenant, issuer, subject }: SubjectAtIssuer): Promise<LinkedIdentityRow | undefined> {
  return await db
    .selectFrom('linked_identities')
    .select(columns)
    .where('tenant', '=', tenant)
    .where('issuer', '=', issuer)
    .where('subject', '=', subject)
    .executeTakeFirst()
}

/** Whoever was first has it: answers the row that is there. */
export async function insertIdentity(tx: Db, row: Insertable<LinkedIdentitiesTable>): Promise<LinkedIdentityRow> {
  const inserted = await tx
    .insertInto('linked_identities')
    .values(row)
    .onConflict((conflict) => conflict.columns(['tenant', 'issuer', 'subject']).doNothing())
    .returning(columns)
    .executeTakeFirst()
  const there = inserted ?? (await findIdentity(tx, row))
  if (there === undefined) throw new Error('an identity went while it was written')
  return there
}

/** Counts from now on; false where it went, or counts already. */
export async function markLinked(tx: Db, { tenant, issuer, subject }: SubjectAtIssuer, userId: string, time: Date): Promise<boolean> {
  const row = await tx
    .updateTable('linked_identities')
    .set({ link_time: time })
    .where('tenant', '=', tenant)
    .where('issuer', '=', issuer)
    .where('subject', '=', subject)
    .where('user_id', '=', userId)
    .where('link_time', 'is', null)
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

/** False where it was taken away meanwhile. */
export async function useIdentity(tx: Db, { tenant, issuer, subject }: SubjectAtIssuer, userId: string, time: Date): Promise<boolean> {
  const row = await tx
    .updateTable('linked_identities')
    .set({ last_use_time: time })
    .where('tenant', '=', tenant)
    .where('issuer', '=', issuer)
    .where('subject', '=', subject)
    .where('user_id', '=', userId)
    .where('link_time', 'is not', null)
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

/** What waits for an account that cannot be made. */
export async function deleteUnlinked(db: Db, { tenant, issuer, subject }: SubjectAtIssuer, userId: string): Promise<void> {
  await db
    .deleteFrom('linked_identities')
    .where('tenant', '=', tenant)
    .where('issuer', '=', issuer)
    .where('subject', '=', subject)
    .where('user_id', '=', userId)
    .where('link_time', 'is', null)
    .execute()
}

/** The oldest first; one person has few. */
export async function listIdentitiesOf(db: Db, { tenant, userId }: Person): Promise<LinkedIdentityRow[]> {
  return await db
    .selectFrom('linked_identities')
    .select(columns)
    .where('tenant', '=', tenant)
    .where('user_id', '=', userId)
    .where('link_time', 'is not', null)
    .orderBy('link_time')
    .orderBy('id')
    .execute()
}

export async function deleteIdentity(tx: Db, key: Person & { id: string }): Promise<LinkedIdentityRow | undefined> {
  return await tx
    .deleteFrom('linked_identities')
    .where('tenant', '=', key.tenant)
    .where('user_id', '=', key.userId)
    .where('id', '=', key.id)
    .returning(columns)
    .executeTakeFirst()
}

/** Those that were linked to an account since, but for the one that made it. */
export async function deleteIdentitiesSince(tx: Db, { tenant, userId, since }: Person & { since: Date }): Promise<LinkedIdentityRow[]> {
  return await tx
    .deleteFrom('linked_identities')
    .where('tenant', '=', tenant)
    .where('user_id', '=', userId)
    .where('link_time', '>=', since)
    .where('made_account', '=', false)
    .returning(columns)
    .execute()
}

export async function deleteIdentities(tx: Db, { tenant, userId }: Person): Promise<void> {
  await tx.deleteFrom('linked_identities').where('tenant', '=', tenant).where('user_id', '=', userId).execute()
}

/** A piece of what a connection that goes leaves behind. */
export async function deleteIdentitiesAt(db: Db, which: { tenant: string; connectionId: string; limit: number }): Promise<number> {
  const deleted = await sql`
    delete from linked_identities where (tenant, issuer, subject) in (
      select tenant, issuer, subject from linked_identities
      where tenant = ${which.tenant} and connection_id = ${which.connectionId} limit ${which.limit}::integer)`.execute(db)
  return Number(deleted.numAffectedRows ?? 0n)
}
