import { createHash, createHmac, createSecretKey } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { type RawBuilder, sql } from 'kysely'
import type { Executor } from './connect.ts'
import { isConflict } from './errors.ts'

export type Charge = {
  /** What is counted, as text: the limit's name and the value. Stored only as a hash. */
  readonly key: string
  /** How many pass in one window. */
  readonly count: number
  readonly windowSeconds: number
  /** Left out for counters across tenants. */
  readonly tenant?: string
}

export type Taken = { allowed: true } | { allowed: false; retryAfterSeconds: number; index: number }

export type LimitStore = {
  /**
   * Counts one call against each charge in turn. The first exhausted one refuses it (`index`), and the ones after it are
   * not counted: whoever is refused by source cannot exhaust somebody else's address. Refused calls are not counted either.
   * Windows are fixed: they start at multiples of their length, by the database's clock.
   */
  take(charges: readonly Charge[]): Promise<Taken>
  /** Forgets what was counted for a key, in every window. */
  reset(key: string, tenant?: string): Promise<void>
}

const pruneEveryMs = 60_000
const pruneRows = 1000
const maxCharges = 8

/**
 * Limits that are exact across replicas and parallel bursts, in one round trip.
 * With `hashKey`, keys are stored as HMACs: a dump of the table does not tell which addresses were counted.
 */
export function postgresLimits(db: Executor, { hashKey }: { hashKey?: string | Uint8Array } = {}): LimitStore {
  // Node takes six times as long for a text or bytes as for a key that it has seen.
  const secret = hashKey === undefined ? undefined : createSecretKey(Buffer.from(hashKey))
  const hashed = (key: string): string =>
    (secret === undefined ? createHash('sha256') : createHmac('sha256', secret)).update(key).digest('base64url')
  let pruned = performance.now()

  const pruneSometimes = (): void => {
    if (performance.now() - pruned < pruneEveryMs) return
    pruned = performance.now()
    // Only tidies up: whoever comes next tries again.
    prune(db).catch(() => {})
  }

  return {
    async take(charges) {
      if (charges.length === 0) return { allowed: true }
      if (charges.length > maxCharges) throw new TypeError(`${charges.length} limits on one call`)
      const statement = takeStatement(charges.map((charge) => ({ tenant: charge.tenant ?? '', ...charge, key: hashed(charge.key) })))
      for (let attempt = 1; ; attempt++) {
        try {
          const { rows } = await statement.execute(db)
          pruneSometimes()
          const { passed = 0, seconds = 1 } = rows[0] ?? {}
          if (passed === charges.length) return { allowed: true }
          return { allowed: false, index: passed, retryAfterSeconds: Math.max(1, Math.ceil(seconds)) }
        } catch (error) {
          // Two calls may charge the same keys in opposite orders.
          if (attempt === 5 || !isConflict(error)) throw error
          await delay(Math.random() * 10 * attempt)
        }
      }
    },
    async reset(key, tenant = '') {
      await sql`delete from rate_limits where tenant = ${tenant} and key = ${hashed(key)}`.execute(db)
    },
  }
}

/**
 * One step for each charge, each depending on the one before: an upsert that changes nothing, and returns nothing, when the window
 * is full. Its row lock makes it exact. A statement that waited may carry a window that is over: then the row's own one counts.
 */
function takeStatement(charges: readonly Required<Charge>[]): RawBuilder<{ passed: number; seconds: number }> {
  const steps = charges.map(({ tenant, key, count, windowSeconds }, i) => {
    const windowStart = sql`floor(extract(epoch from now()) / ${windowSeconds}::integer)::bigint * ${windowSeconds}::integer`
    const gate = i === 0 ? sql`${count}::integer > 0` : sql`${count}::integer > 0 and exists (select 1 from ${step(i - 1)})`
    return sql`${step(i)} as (
      insert into rate_limits as held (tenant, key, window_seconds, window_start, taken, expire_time)
      select ${tenant}, ${key}, ${windowSeconds}::integer, ${windowStart}, 1, to_timestamp(${windowStart} + ${windowSeconds}::integer)
      where ${gate}
      on conflict (tenant, key, window_seconds) do update set
        taken = case when held.window_start >= excluded.window_start then held.taken + 1 else 1 end,
        window_start = greatest(held.window_start, excluded.window_start),
        expire_time = greatest(held.expire_time, excluded.expire_time)
      where held.window_start < excluded.window_start or held.taken < ${count}::integer
      returning 1)`
  })
  const passed = sql.join(
    charges.map((_, i) => sql`(select count(*) from ${step(i)})`),
    sql` + `,
  )
  const windows = sql.join(charges.map(({ windowSeconds }) => sql`${windowSeconds}::integer`))
  return sql`with ${sql.join(steps)}, outcome as (select (${passed})::integer as passed)
    select passed, (w.length - extract(epoch from now())::numeric % w.length)::double precision as seconds
    from outcome, lateral (select (array[${windows}])[least(passed + 1, ${charges.length}::integer)] as length) w`
}

const step = (i: number): RawBuilder<unknown> => sql.raw(`step_${i}`)

/** Removes windows that are over, a bounded number at a time; a row that came to life meanwhile stays. */
async function prune(db: Executor): Promise<void> {
  await sql`delete from rate_limits where expire_time < now() and (tenant, key, window_seconds) in (
    select tenant, key, window_seconds from rate_limits where expire_time < now() limit ${pruneRows}::integer for update skip locked)`.execute(
    db,
  )
}
