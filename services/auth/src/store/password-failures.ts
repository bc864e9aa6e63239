import { type RawBuilder, sql } from 'kysely'
import type { Db } from './schema.ts'

/** What wrong passwords are counted by, and how the counter slows down. Delays double from a second. */
export interface FailureCounter {
  /** Empty for counters across tenants. */
  readonly tenant: string
  readonly key: Uint8Array
  /** The person, where there is one: the counter is kept until they succeed. */
  readonly userId: string | null
  /** So many wrong passwords cost no time. */
  readonly free: number
  /** The longest delay. */
  readonly capSeconds: number
  /** After so long without one, the delays begin anew. */
  readonly quietSeconds: number
  /** So many in a row, however far apart, and there is no other. */
  readonly most: number
}

/**
 * Counts one attempt against each counter as if it failed, before anybody looks at the password: so that of a burst over all replicas exactly
 * those pass that may. The first counter that is not ready refuses, and those behind it are not counted. Answers how many are in a row by each that it passed.
 */
export async function countAttempt(db: Db, counters: readonly FailureCounter[], now: Date): Promise<readonly number[]> {
  const names = counters.map((_, at) => sql.ref(`c${at}`))
  const parts = counters.map((counter, at) => sql`${names[at]} as (${counting(counter, now, names[at - 1] ?? sql`(select 1) as it`)})`)
  const totals = names.map((name) => sql`(select total from ${name})`)
  const { rows } = await sql<{ totals: (number | null)[] }>`with ${sql.join(parts)} select array[${sql.join(totals)}] as totals`.execute(db)
  return rows[0]?.totals.filter((total) => total !== null) ?? []
}

function counting(counter: FailureCounter, now: Date, from: RawBuilder<unknown>): RawBuilder<unknown> {
  const { tenant, key, userId, free, capSeconds, quietSeconds, most } = counter
  const quiet = sql`f.last_time < ${new Date(now.getTime() - quietSeconds * 1000)}::timestamptz`
  return sql`
    insert into password_failures as f (tenant, key, user_id, failures, total, last_time)
    select ${tenant}, ${key}::bytea, ${userId}::uuid, 1, 1, ${now}::timestamptz from ${from}
    on conflict (tenant, key) do update set
      failures = case when ${quiet} then 1 else f.failures + 1 end,
      accounts = case when ${quiet} then ${noAccounts} else f.accounts end,
      total = f.total + 1,
      user_id = coalesce(excluded.user_id, f.user_id),
      last_time = greatest(f.last_time, excluded.last_time)
    where f.total < ${most}::integer and (f.failures < ${free}::integer
      or f.last_time + least(${capSeconds}::integer, power(2, least(f.failures - ${free}::integer, 20))) * interval '1 second' <= excluded.last_time)
    returning total`
}

const noAccounts = sql`B'0'::bit(256)`

/** How a counter stands: `closed` for good, or open again after some seconds. */
export async function waitOf(db: Db, counter: FailureCounter, now: Date): Promise<number | 'closed'> {
  const row = await db
    .selectFrom('password_failures')
    .select(['failures', 'total', 'last_time'])
    .where('tenant', '=', counter.tenant)
    .where('key', '=', counter.key)
    .executeTakeFirst()
  if (row === undefined) return 0
  if (row.total >= counter.most) return 'closed'
  const delay = Math.min(counter.capSeconds, 2 ** Math.max(0, row.failures - counter.free))
  return Math.max(0, delay - (now.getTime() - row.last_time.getTime()) / 1000)
}

/** The attempt came to nothing, right or wrong: as if it had not been made. */
export async function takeBack(db: Db, { tenant, key }: Pick<FailureCounter, 'tenant' | 'key'>): Promise<void> {
  await db
    .updateTable('password_failures')
    .set((eb) => ({ failures: eb('failures', '-', 1), total: eb('total', '-', 1) }))
    .where('tenant', '=', tenant)
    .where('key', '=', key)
    .where('failures', '>', 0)
    .execute()
}

/** An account that is tried from a source, as one of 256: two may share a place, so that never more are counted than there are. */
export type AccountBit = number

/**
 * A right password among many who share a counter: half of the wrong ones are forgiven, and all for the account that it opened. Answers at how many others the source
 * has failed.
 */
export async function forgiveHalf(
  db: Db,
  { tenant, key, account }: Pick<FailureCounter, 'tenant' | 'key'> & { account: AccountBit },
): Promise<number> {
  const { rows } = await sql<{ others: number }>`update password_failures
    set failures = (failures - 1) / 2, total = (total - 1) / 2, accounts = set_bit(accounts, ${account}::integer, 0)
    where tenant = ${tenant} and key = ${key}::bytea and failures > 0 returning bit_count(accounts)::integer as others`.execute(db)
  return rows[0]?.others ?? 0
}

/** Notes that a source failed at an account; answers at how many by now, and nothing where that is known. */
export async function noteFailedAccount(
  db: Db,
  { tenant, key, account }: Pick<FailureCounter, 'tenant' | 'key'> & { account: AccountBit },
): Promise<number | undefined> {
  const { rows } = await sql<{ accounts: number }>`update password_failures set accounts = set_bit(accounts, ${account}::integer, 1)
    where tenant = ${tenant} and key = ${key}::bytea and get_bit(accounts, ${account}::integer) = 0
    returning bit_count(accounts)::integer as accounts`.execute(db)
  return rows[0]?.accounts
}

/** Closes a counter for good, as its hundredth wrong password would. */
export async function closeCounter(tx: Db, { tenant, key, userId, most }: FailureCounter, now: Date): Promise<void> {
  await tx
    .insertInto('password_failures')
    .values({ tenant, key, user_id: userId, failures: most, total: most, last_time: now })
    .onConflict((conflict) =>
      conflict.columns(['tenant', 'key']).doUpdateSet({ user_id: userId, failures: most, total: most, last_time: now }),
    )
    .execute()
}

export async function forgetFailures(db: Db, { tenant, key }: Pick<FailureCounter, 'tenant' | 'key'>): Promise<void> {
  await db.deleteFrom('password_failures').where('tenant', '=', tenant).where('key', '=', key).execute()
}

export async function forgetFailuresOf(db: Db, person: { tenant: string; userId: string }): Promise<void> {
  await db.deleteFrom('password_failures').where('tenant', '=', person.tenant).where('user_id', '=', person.userId).execute()
}

/** Forgets counters that are about nobody, the oldest first, at most `limit`; answers how many. */
export async function prunePasswordFailures(db: Db, before: Date, limit: number): Promise<number> {
  const { numAffectedRows = 0n } = await sql`
    delete from password_failures where (tenant, key) in (
      select tenant, key from password_failures where user_id is null and last_time < ${before}
      order by last_time limit ${limit}::integer for update skip locked)`.execute(db)
  return Number(numAffectedRows)
}
