import { createHash, createHmac, createSecretKey } from 'node:crypto'
import { sql } from 'kysely'
import { unbounded } from './bounds.ts'
import type { Executor } from './connect.ts'
import { limitBatches } from './limit-batches.ts'

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
   * not counted: whoever is refused by source cannot exhaust somebody else's address. An exhausted limit counts no more: at most
   * those are in its counter that came together with the last one to pass.
   * Windows are fixed: they start at multiples of their length, by the database's clock.
   */
  take(charges: readonly Charge[]): Promise<Taken>
  /** Forgets what was counted for a key, in every window. */
  reset(key: string, tenant?: string): Promise<void>
}

const pruneEveryMs = 60_000
const pruneRows = 1000
const maxCharges = 8
const maxKinds = 500

/**
 * Limits that are exact across replicas and parallel bursts, in one round trip that calls of the same moment share.
 * With `hashKey`, keys are stored as HMACs: a dump of the table does not tell which addresses were counted.
 */
export function postgresLimits(db: Executor, { hashKey }: { hashKey?: string | Uint8Array } = {}): LimitStore {
  // Node takes six times as long for a text or bytes as for a key that it has seen.
  const secret = hashKey === undefined ? undefined : createSecretKey(Buffer.from(hashKey))
  const hashed = (key: string): string =>
    (secret === undefined ? createHash('sha256') : createHmac('sha256', secret)).update(key).digest('base64url')
  const batches = new Map<string, ReturnType<typeof limitBatches>>()
  let pruned = performance.now()
  let pruning = false

  // A method's limits are the contract's or a tenant's, and seldom change: the kinds in use are few.
  const batchesOf = (charges: readonly Charge[]): ReturnType<typeof limitBatches> => {
    const kind = charges.map(({ count, windowSeconds }) => `${count}/${windowSeconds}`).join(' ')
    const known = batches.get(kind) ?? limitBatches(db, charges)
    batches.set(kind, known)
    // Limits of API keys are anybody's choice. A batch that is let go of counts to its end: the counters are in Postgres.
    const [oldest] = batches.size > maxKinds ? batches.keys() : []
    if (oldest !== undefined) batches.delete(oldest)
    return known
  }

  // Not for whoever happens to call, and all of it: what is left would grow with every minute that brings more than one piece.
  const pruneSometimes = (): void => {
    if (pruning || performance.now() - pruned < pruneEveryMs) return
    pruning = true
    unbounded(() => pruneAll(db))
      // Only tidies up: whoever comes next tries again.
      .catch(() => {})
      .finally(() => {
        pruning = false
        pruned = performance.now()
      })
  }

  return {
    async take(charges) {
      if (charges.length === 0) return { allowed: true }
      if (charges.length > maxCharges) throw new TypeError(`${charges.length} limits on one call`)
      const { passed, seconds } = await batchesOf(charges)(charges.map(({ tenant = '', key }) => ({ tenant, key: hashed(key) })))
      pruneSometimes()
      if (passed === charges.length) return { allowed: true }
      return { allowed: false, index: passed, retryAfterSeconds: Math.max(1, Math.ceil(seconds)) }
    },
    async reset(key, tenant = '') {
      await sql`delete from rate_limits where tenant = ${tenant} and key = ${hashed(key)}`.execute(db)
    },
  }
}

async function pruneAll(db: Executor): Promise<void> {
  while ((await pruneLimits(db, pruneRows)) === pruneRows);
}

/**
 * Removes windows that are over, the oldest first, at most `limit`; gives how many. A row that came to life meanwhile stays: its lock is taken on what it
 * is then. Said once, because a second `expire_time < now()` would be planned as if it found hardly any, and each would look through the others.
 */
export async function pruneLimits(db: Executor, limit: number): Promise<number> {
  const { numAffectedRows = 0n } = await sql`delete from rate_limits where (tenant, key, window_seconds) in (
    select tenant, key, window_seconds from rate_limits where expire_time < now()
    order by expire_time limit ${limit}::integer for update skip locked)`.execute(db)
  return Number(numAffectedRows)
}
