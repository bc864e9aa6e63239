import { type Insertable, type Selectable, sql } from 'kysely'
import type { ChallengeKind, ChallengesTable } from './account-tables.ts'
import type { Db } from './schema.ts'

export type ChallengeRow = Selectable<ChallengesTable>

const columns = [
  'tenant',
  'id',
  'kind',
  'address',
  'address_key',
  'user_id',
  'previous_address',
  'mail_count',
  'wrong_codes',
  'create_time',
  'request_time',
  'end_time',
] as const

interface Key {
  readonly tenant: string
  readonly id: string
}

export async function insertChallenge(tx: Db, row: Insertable<ChallengesTable>): Promise<ChallengeRow> {
  return await tx.insertInto('challenges').values(row).returning(columns).executeTakeFirstOrThrow()
}

export async function findChallenge(db: Db, key: Key): Promise<ChallengeRow | undefined> {
  return await db.selectFrom('challenges').select(columns).where('tenant', '=', key.tenant).where('id', '=', key.id).executeTakeFirst()
}

/** Whoever holds the lock is the only one who counts a code, ends the challenge or asks for its mail again. */
export async function lockChallenge(tx: Db, key: Key): Promise<ChallengeRow | undefined> {
  return await tx
    .selectFrom('challenges')
    .select(columns)
    .where('tenant', '=', key.tenant)
    .where('id', '=', key.id)
    .forUpdate()
    .executeTakeFirst()
}

/** Locks a challenge and those that end with it, in the order of their ids, so that two who end each other's never wait in a circle. */
export async function lockLiveChallenges(
  tx: Db,
  which: { tenant: string; id?: string; kinds: readonly ChallengeKind[]; addressKey?: string; userId?: string },
): Promise<string[]> {
  const rows = await tx
    .selectFrom('challenges')
    .select('id')
    .where('tenant', '=', which.tenant)
    .where('end_time', 'is', null)
    .where((eb) =>
      eb.or([
        ...(which.id === undefined ? [] : [eb('id', '=', which.id)]),
        ...(which.addressKey === undefined ? [] : [eb('address_key', '=', which.addressKey).and('kind', 'in', [...which.kinds])]),
        ...(which.userId === undefined ? [] : [eb('user_id', '=', which.userId).and('kind', 'in', [...which.kinds])]),
      ]),
    )
    .orderBy('id')
    .forUpdate()
    .execute()
  return rows.map((row) => row.id)
}

/** Those of an `owner` are that person's from now on, and go with them. */
export async function endChallenges(
  tx: Db,
  which: { tenant: string; ids: readonly string[]; time: Date; owner?: string | undefined },
): Promise<void> {
  const { owner } = which
  await tx
    .updateTable('challenges')
    .set((eb) => ({ end_time: which.time, ...(owner !== undefined && { user_id: eb.fn.coalesce('user_id', eb.val(owner)) }) }))
    .where('tenant', '=', which.tenant)
    .where('id', '=', sql<string>`any(${which.ids}::uuid[])`)
    .execute()
}

export async function countMail(tx: Db, key: Key, time: Date): Promise<ChallengeRow> {
  return await tx
    .updateTable('challenges')
    .set((eb) => ({ mail_count: eb('mail_count', '+', 1), request_time: time }))
    .where('tenant', '=', key.tenant)
    .where('id', '=', key.id)
    .returning(columns)
    .executeTakeFirstOrThrow()
}

export async function countWrongCode(tx: Db, key: Key): Promise<void> {
  await tx
    .updateTable('challenges')
    .set((eb) => ({ wrong_codes: eb('wrong_codes', '+', 1) }))
    .where('tenant', '=', key.tenant)
    .where('id', '=', key.id)
    .execute()
}

/** Keeps the address that a change is about to replace; the first one that was noted stays. Answers the one that is kept. */
export async function notePreviousAddress(db: Db, key: Key, address: string): Promise<string> {
  const row = await db
    .updateTable('challenges')
    .set((eb) => ({ previous_address: eb.fn.coalesce('previous_address', eb.val(address)) }))
    .where('tenant', '=', key.tenant)
    .where('id', '=', key.id)
    .returning('previous_address')
    .executeTakeFirst()
  return row?.previous_address ?? address
}

/** Forgets the challenges of a person: those made for them, their sign-up, and those whose mail named them. */
export async function deleteChallengesOfPerson(tx: Db, person: { tenant: string; userId: string }): Promise<void> {
  await tx
    .deleteFrom('challenges')
    .where('tenant', '=', person.tenant)
    .where((eb) =>
      eb.or([
        eb('user_id', '=', person.userId),
        eb(
          'id',
          'in',
          eb.selectFrom('sign_ups').select('challenge_id').where('tenant', '=', person.tenant).where('user_id', '=', person.userId),
        ),
        eb(
          'id',
          'in',
          eb
            .selectFrom('challenge_secrets')
            .select('challenge_id')
            .where('tenant', '=', person.tenant)
            .where('user_id', '=', person.userId),
        ),
      ]),
    )
    .execute()
}

/** Deletes challenges whose last mail was asked for before `time`, with their sign-ups and secrets. Answers how many went. */
export async function deleteOldChallenges(db: Db, before: { time: Date; limit: number }): Promise<number> {
  const deleted = await db
    .deleteFrom('challenges')
    .where(({ eb, refTuple }) =>
      eb(
        refTuple('tenant', 'id'),
        'in',
        eb
          .selectFrom('challenges')
          .select(['tenant', 'id'])
          .where('request_time', '<', before.time)
          .orderBy('request_time')
          .limit(before.limit)
          .forUpdate()
          .skipLocked()
          .$asTuple('tenant', 'id'),
      ),
    )
    .executeTakeFirst()
  return Number(deleted.numDeletedRows)
}
