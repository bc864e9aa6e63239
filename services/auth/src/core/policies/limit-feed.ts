import { setTimeout as delay } from 'node:timers/promises'
import { create } from '@bufbuild/protobuf'
import { type LimitsOfTenant, LimitsOfTenantSchema } from '@gatehouse/contracts/gatehouse/auth/v1/policy_service_pb'
import { createLimitOverrides, type LimitOverrides } from '@gatehouse/rpc'
import type { Logger } from '@gatehouse/telemetry'
import { listChangedPolicies, type PolicyRow } from '../../store/policies.ts'
import type { Db } from '../deps.ts'
import { setIn } from './policy-of.ts'

/** Every watch of the process is fed by one poll of the database. */
export interface LimitFeed extends AsyncDisposable {
  /** Settles with the first successful poll, or with the end. */
  readonly ready: Promise<void>
  /** What this process itself obeys. */
  readonly overrides: LimitOverrides
  /** Feeds a new reader: with all tenants that changed since the cursor, then with each change. End it with {@link LimitFeed.leave}. */
  join(cursor: string): LimitReader
  leave(reader: LimitReader): void
}

/** A policy becomes visible when its transaction commits, up to this long after its time: every poll looks that far back. */
const overlapMs = 30_000

/** What one reader has yet to be told: one entry a tenant, however often that changes, so a reader who does not read costs little. */
export class LimitReader {
  #pending: Map<string, LimitsOfTenant>
  #cursor: string
  #due = false
  #wake: (() => void) | undefined
  #closed = false
  #lastTold = performance.now()

  constructor(tenants: Iterable<LimitsOfTenant>, cursor: string) {
    this.#pending = new Map([...tenants].map((each) => [each.tenant, each]))
    this.#cursor = cursor
  }

  tell(tenants: readonly LimitsOfTenant[], cursor: string, heartbeatMs: number): void {
    for (const each of tenants) this.#pending.set(each.tenant, each)
    this.#cursor = cursor
    if (performance.now() - this.#lastTold >= heartbeatMs) this.#due = true
    this.#wake?.()
  }

  close(): void {
    this.#closed = true
    this.#wake?.()
  }

  /** What there is to tell now, empty or not. */
  take(): { readonly tenants: LimitsOfTenant[]; readonly cursor: string } {
    const tenants = [...this.#pending.values()]
    this.#pending = new Map()
    this.#due = false
    this.#lastTold = performance.now()
    return { tenants, cursor: this.#cursor }
  }

  /** Waits for something to tell, or for the time of a heartbeat; `false` when there is nothing more to come. */
  async wait(): Promise<boolean> {
    while (!this.#closed && this.#pending.size === 0 && !this.#due) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      await promise
    }
    return !this.#closed
  }
}

/** Starts to poll. While Postgres is away nothing is told, not even a heartbeat, so that readers know. */
export function startLimitFeed(options: {
  readonly db: Db
  readonly log: Logger
  readonly pollMs?: number
  readonly heartbeatMs?: number
}): LimitFeed {
  const { db, log, pollMs = 200, heartbeatMs = 5_000 } = options
  const stop = new AbortController()
  const readers = new Set<LimitReader>()
  const overrides = createLimitOverrides()
  const known = new Map<string, { readonly limits: LimitsOfTenant; readonly time: number }>()
  const { promise: ready, resolve: beReady } = Promise.withResolvers<void>()
  let since: Date | undefined
  let failing = false

  async function poll(): Promise<void> {
    const { time, rows } = await listChangedPolicies(db, since)
    const fresh = rows.filter(({ tenant, version }) => (known.get(tenant)?.limits.version ?? -1n) < BigInt(version)).map(limitsIn)
    for (const { limits, time: changed } of fresh) {
      known.set(limits.tenant, { limits, time: changed })
      overrides.put(limits)
    }
    const told = fresh.map(({ limits }) => limits)
    for (const reader of readers) reader.tell(told, cursorOf(time), heartbeatMs)
    since = new Date(time.getTime() - overlapMs)
    beReady()
  }

  const run = (async () => {
    while (!stop.signal.aborted) {
      try {
        await poll()
        if (failing) log.info('limits of tenants are read again')
        failing = false
      } catch (error) {
        if (!failing) log.error({ problem: error instanceof Error ? error.message : String(error) }, 'limits of tenants cannot be read')
        failing = true
      }
      await delay(pollMs, undefined, { signal: stop.signal }).catch(() => {})
    }
  })()

  return {
    ready,
    overrides,
    join(cursor) {
      const from = (timeOf(cursor) ?? 0) - overlapMs
      const tenants = [...known.values()].filter(({ time }) => time >= from).map(({ limits }) => limits)
      const reader = new LimitReader(tenants, since ? cursorOf(since) : '')
      readers.add(reader)
      if (stop.signal.aborted) reader.close()
      return reader
    },
    leave(reader) {
      readers.delete(reader)
      reader.close()
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      beReady()
      for (const reader of readers) reader.close()
      await run
    },
  }
}

function limitsIn(row: PolicyRow): { limits: LimitsOfTenant; time: number } {
  const limits = create(LimitsOfTenantSchema, { tenant: row.tenant, version: BigInt(row.version), overrides: setIn(row).limits })
  return { limits, time: row.update_time.getTime() }
}

/** A time of the database's clock. */
function cursorOf(time: Date): string {
  return `l1.${time.getTime().toString(36)}`
}

/** The time that a cursor names; undefined when it is none of ours: everything is told then. */
function timeOf(cursor: string): number | undefined {
  const match = /^l1\.([0-9a-z]{1,10})$/.exec(cursor)
  return match?.[1] === undefined ? undefined : Number.parseInt(match[1], 36)
}
